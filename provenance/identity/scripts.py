"""What a script in any language says of the files and packages that it stands on."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from posixpath import splitext

from provenance.identity import listing, octave_source, r_source
from provenance.identity.interpreters import code_between, programs_in, shebang
from provenance.identity.mentions import Words, words_of

_CHUNK = re.compile(r"\s*(?:```+|~~~+)\s*\{r\b[^}]*\}\s*$", re.IGNORECASE)
_CHUNK_END = re.compile(r"\s*(?:```+|~~~+)\s*$")
_PERL_MODULE = re.compile(r"^\s*(?:use|require|no)\s+([A-Za-z]\w*(?:::\w+)*)\b", re.MULTILINE)
_PYTHON_MODULE = re.compile(r"\bpython[\w.]*\s[^\n;|&]{0,200}?-m\s*([A-Za-z_][\w.]*)")
_CHANGE_FOLDER = re.compile(r"\b(?:cd|pushd|chdir)\s+[\"']?([\w./+@-]+)")
_SOURCED = re.compile(
    r"^[^\n#]*?(?:^|[\s;&|({])(?:source|\.)[ \t]+([^\n;&|]*\$[^\n;&|]*)", re.MULTILINE
)
_EVALUATED = re.compile(r"^[^\n#]*?(?:^|[\s;&|({])eval[ \t]", re.MULTILINE)
_OCTAVE = re.compile(r"\b(?:octave|matlab)")

_NAMED = {".rprofile": ".r", ".octaverc": ".m"}
_R = frozenset({".r"})
_R_CHUNKS = frozenset({".rmd", ".qmd", ".rnw"})
_SHELL = frozenset({".sh", ".bash", ".zsh", ".ksh", ".dash"})
_PERL = frozenset({".pl", ".pm", ".t"})
_CODE = _PERL | {".jl", ".js", ".lua", ".mjs", ".php", ".rb"}

_CODE_SHEBANG = re.compile(rb"#!.*\b(?:perl|ruby|node|julia|php|lua)")


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """One script's words for files, and what its language tells beyond them.

    ``semantic`` is the SHA-256 of what it does, without comments; None where only its bytes
    can tell. ``sourced`` are literals that it executes, ``folders`` those (with True, all
    below them) that functions are looked up in, ``modules`` Python modules that it starts,
    ``programs`` the interpreters that it starts. ``shebang`` executes it where it is a program.
    """

    words: Words
    semantic: str | None = None
    sourced: tuple[str, ...] = ()
    folders: tuple[tuple[str, bool], ...] = ()
    modules: tuple[str, ...] = ()
    imports: frozenset[str] = frozenset()
    open_sites: tuple[tuple[int, str], ...] = ()
    starts_octave: bool = False
    programs: frozenset[str] = frozenset()
    shebang: str = ""
    text: str = ""
    """Where names with blanks in them are looked for."""


_known: dict[tuple[str, str], ScriptFacts] = {}
_REMEMBERED = 2_000
_LARGEST_REMEMBERED = 1 << 16


def read_script(name: str, content: bytes, exact: str) -> ScriptFacts:
    """Read the script *content*, whose hash is *exact*; the end of its *name* tells its language.

    What was read is remembered by content, as long as this process lives.
    """
    suffix = _NAMED.get(name.lower()) or splitext(name)[1].lower()
    facts = _known.get((suffix, exact))
    if facts is None:
        facts = replace(_read(suffix, content), shebang=shebang(content))
    if len(content) <= _LARGEST_REMEMBERED:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[suffix, exact] = facts
    return facts


def _read(suffix: str, content: bytes) -> ScriptFacts:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # Latin-1 takes any byte: file names in plain letters are found all the same.
        return _other(suffix, content.decode("latin-1"), content)
    if suffix in _R:
        return read_r(text)
    if suffix in _R_CHUNKS:
        return _chunks(text)
    if suffix == ".m":
        return read_octave(text)
    if suffix == ".py":  # what it imports and names is told by its closure
        return ScriptFacts(Words(), programs=programs_in(text, code=True))
    return _other(suffix, text, content)


def read_r(text: str) -> ScriptFacts:
    """Read R code: a script, or the expression behind ``-e``."""
    facts = r_source.read(text)
    if facts is None:
        return ScriptFacts(
            words_of(text), open_sites=((1, "its R code cannot be read"),), text=text
        )
    literals = "\n".join(f'"{literal}"' for literal in facts.literals)
    return ScriptFacts(
        words_of(literals),
        facts.semantic and _digest("r", facts.semantic),
        sourced=facts.sourced,
        imports=frozenset(f"r:{name}" for name in facts.packages),
        open_sites=facts.open_sites,
        programs=programs_in(literals),
        text=literals,
    )


def read_octave(text: str) -> ScriptFacts:
    """Read Octave or Matlab code: a script, a function, or the expression behind ``--eval``."""
    facts = octave_source.read(text)
    return ScriptFacts(
        words_of(facts.code, is_code=True),
        facts.semantic and _digest("octave", facts.semantic),
        folders=facts.folders,
        imports=frozenset(f"octave:{name}" for name in facts.packages),
        open_sites=tuple(sorted({*facts.open_sites, *listing.in_octave(facts.code)})),
        programs=programs_in(facts.code, code=True),
        text=facts.code,
    )


def _chunks(text: str) -> ScriptFacts:
    """Read a document with chunks of R code; its prose may name files as well."""
    inside, lines = False, []
    for line in text.splitlines():
        if not inside and _CHUNK.match(line):
            inside = True
            lines.append("")
        else:
            inside = inside and not _CHUNK_END.match(line)
            lines.append(line if inside else "")
    code = read_r("\n".join(lines))
    return replace(code, words=words_of(text), semantic=None, sourced=(), text=text)


def _other(suffix: str, text: str, content: bytes) -> ScriptFacts:
    is_shell = suffix in _SHELL or re.match(rb"#!.*\b(?:ba|da|k|z|)sh\b", content) is not None
    is_code = suffix in _CODE or re.match(_CODE_SHEBANG, content) is not None
    words = words_of(text, is_code=is_code)
    folders = {f"{folder.rstrip('/')}/" for folder in _CHANGE_FOLDER.findall(text)}
    if is_shell:
        folders.update(f"{folder.rstrip('/')}/" for folder in listing.shell_folders(text))
    perl = suffix in _PERL or re.match(rb"#!.*\bperl", content)
    sites = _shell_sites(text) if is_shell else listing.in_calls(text) if is_code else ()
    between = () if suffix in _CODE else code_between(text)
    modules = {f"{name.replace('::', '/')}.pm" for name in _PERL_MODULE.findall(text) if perl}
    return ScriptFacts(
        replace(words, runs=words.runs | folders | modules),
        modules=tuple(sorted(set(_PYTHON_MODULE.findall(text)))),
        open_sites=tuple(sorted({*sites, *between})),
        starts_octave=_OCTAVE.search(text) is not None,
        programs=programs_in(_behind_shebang(text), code=suffix in _CODE),
        text=text,
    )


def _shell_sites(text: str) -> Iterator[tuple[int, str]]:
    for found in _SOURCED.finditer(text):
        # "$HERE/lib.sh" still names lib.sh, wherever HERE is; "$1" may be any file.
        if not re.search(r"/[\w.+@-]+[\"']?\s*$", found[1]):
            yield _line(text, found.start(1)), f"{found[1].strip()} is sourced"
    for found in _EVALUATED.finditer(text):
        yield _line(text, found.end() - 1), "eval is used"
    yield from listing.in_shell(text)


def _behind_shebang(text: str) -> str:
    """Return *text* without a first line that counts only where the script is a program."""
    return text.partition("\n")[2] if text.startswith("#!") else text


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _digest(language: str, text: str) -> str:
    return hashlib.sha256(f"semantic:v1\n{language}\n{text}".encode()).hexdigest()
