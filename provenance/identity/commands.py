"""The closure of a command: every file of the project that a program started by argv stands on.

The command runs with the project's root as its current directory. What a foreign program
opens cannot be observed, so this takes in whatever its text may mean: better a rerun that was
not needed than a result that is stale.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import basename, dirname, join, normpath, splitext

from provenance.identity.closure import (
    Closure,
    MissingSourceError,
    OpenSite,
    SourceFile,
    python_closure,
    source_closure,
)
from provenance.identity.interpreters import language_of, programs_for, programs_in
from provenance.identity.mentions import Mentions
from provenance.identity.scripts import ScriptFacts, read_octave, read_r, read_script
from provenance.identity.sources import Directory, FileFacts
from provenance.identity.tracked import TrackedFiles

_REMEMBERED = FileFacts()
_LARGEST_SCRIPT = 1 << 20
_TABLES = ".arrow .csv .db .feather .h5 .mat .npy .npz .parquet .pickle .pkl .rda .rdata .rds"
_TABLES += " .sqlite .tsv .xls .xlsx"
_PACKED = ".bz2 .gz .xz .zip .zst"
_PAGES = ".gif .html .ico .ipynb .jpeg .jpg .md .pdf .png .rst .svg .txt .webp"
_DATA = frozenset(f"{_TABLES} {_PACKED} {_PAGES}".split())
"""Ends of names of what is read and never executed: nothing that they mention counts."""

_SCRIPTS = {"r": (".r",), "octave": (".m",), "python": (".py",)}
_AT_START = {"r": (".Rprofile", ".Renviron"), "octave": (".octaverc",)}
"""What interpreters read from the current directory without being told."""
_OCTAVE_CODE = (".m", ".oct", ".mex", ".mexa64", ".mexw64", ".mexmaca64", ".mexmaci64", ".p")
_OCTAVE_FOLDERS = ("private", "+", "@")
_EXPRESSION = re.compile(r"[\s()'\";$]")
_HOLE = re.compile(r"\{[^{}]*\}")


def command_closure(
    root: Path,
    tracked: frozenset[str],
    argv: Sequence[str],
    declared: Sequence[str] = (),
    facts: FileFacts = _REMEMBERED,
) -> Closure:
    """Return the closure of the command *argv*, started in *root* without a shell.

    *tracked* are the project's files, relative to *root*; *declared* are paths and patterns of
    files that count as well. Placeholders such as ``{inputs.x}`` may still stand in *argv*.
    ``imports`` are R packages as ``r:NAME``, Octave's as ``octave:NAME``, and the top-level
    names that Python scripts import. ``programs`` are the interpreters that arguments and
    scripts name, and of scripts whose interpreter nothing names the usual one. Raises
    OutsideLinkError where a link leads out of *root*.
    """
    walk = _Walk(root, tracked, facts)
    walk.start(argv)
    for pattern in declared:
        walk.take({*walk.patterns.at(pattern), *walk.mentions.at(pattern)})
    return walk.closure()


def script_closure(
    root: Path,
    tracked: frozenset[str],
    language: str,
    sources: Sequence[tuple[str, str]],
    facts: FileFacts = _REMEMBERED,
) -> Closure:
    """Return the closure of *sources*, pairs of name and text: cells in another language.

    Their names say in which folder of the project they are executed; ``#`` and a number may
    stand behind the path. R and Octave are followed. Of any other *language* only the files
    that literals name are known, so that the closure is open. Otherwise as `command_closure`.
    """
    walk = _Walk(root, tracked, facts)
    for folder in {dirname(name) for name, _ in sources}:
        walk.begin(language, folder)
    for name, text in sources:
        walk.execute(language, name, text)
    return walk.closure()


@dataclass
class _Walk:
    root: Path
    tracked: frozenset[str]
    facts: FileFacts
    files: dict[str, SourceFile] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    sites: set[OpenSite] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mentions = Mentions(self.tracked)
        self.patterns = TrackedFiles(self.tracked)
        self._directory = Directory(self.root, self.facts)
        self._octave: set[tuple[str, bool]] = set()
        self._waiting: list[tuple[str, ScriptFacts]] = []

    def start(self, argv: Sequence[str]) -> None:
        """Take in all that *argv* names."""
        languages = {found for item in argv if (found := _language(item))}
        for language in languages:
            self.take(path for path in _AT_START.get(language, ()) if path in self.tracked)
        if "octave" in languages:
            self._look_in("")
        self.programs.update(
            item for item in argv if _language(item) or programs_in(item) == {item}
        )
        script_found = False
        for place, item in enumerate(argv):
            before = argv[place - 1] if place else ""
            # A program without a slash is looked up on PATH: no folder of that name is meant.
            named = self._named(item, before, languages) if place or "/" in item else set()
            scripts = {path for path in named if _is_script(path, languages)}
            self.take(scripts, executed=not script_found)
            self.take(named - scripts)
            script_found = script_found or bool(scripts)
            if "octave" in languages:
                for path in scripts:
                    self._look_in(dirname(path))
            if not named and (_EXPRESSION.search(_HOLE.sub("", item)) or before == "-c"):
                self._express(place, item, before, languages)

    def begin(self, language: str, folder: str) -> None:
        """Take in what an interpreter that starts in *folder* reads without being told."""
        self.take({join(folder, name) for name in _AT_START.get(language, ())} & self.tracked)
        if language == "octave":
            self._look_in(folder)

    def execute(self, language: str, name: str, text: str) -> None:
        """Take in what *text* names, code that is no file of the project."""
        if language == "r":
            facts = read_r(text)
        elif language == "octave":
            facts = read_octave(text)
        else:
            content = text.encode("utf-8", "surrogatepass")
            facts = read_script("cell", content, hashlib.sha256(content).hexdigest())
            self.sites.add(OpenSite(name, 1, f"code in {language} is not followed"))
        self._follow(name, facts)

    def _named(self, item: str, before: str, languages: set[str]) -> set[str]:
        """Return the tracked files that an item of argv is, or names behind ``=``, ``:``, ``,``."""
        if before == "-m" and "python" in languages:
            return self._module(item)
        named: set[str] = set()
        for part in {item, *re.split(r"[=:,]", item)}:
            place = part.removeprefix(f"{self.root}/").removeprefix("./")
            if "{" in place:
                beginning = place.partition("{")[0]
                if "/" in beginning:
                    named.update(path for path in self.tracked if path.startswith(beginning))
            elif place and not place.startswith(("/", "-")):
                named |= self.mentions.at(place)
                # No shell is between: a program that is given a pattern looks itself.
                named.update(self.patterns.at(place))
        return named

    def _module(self, name: str) -> set[str]:
        self.imports.add(name.partition(".")[0])
        path = name.replace(".", "/")
        return {f"{path}.py", f"{path}/__main__.py", f"src/{path}.py"} & self.tracked

    def _express(self, place: int, item: str, before: str, languages: set[str]) -> None:
        """Take in what an expression in argv names, such as that behind ``--eval``."""
        name = f"argument {place} of the command"
        if "python" in languages and before == "-c":
            self._join(source_closure(self.root, self.tracked, [(name, item)], facts=self.facts))
            return
        shell = "item.sh" if before == "-c" else "item"
        self._follow(name, read_script(shell, item.encode("utf-8", "surrogatepass"), item))
        if "r" in languages:
            self._follow(name, read_r(item))
        if "octave" in languages:
            self._follow(name, read_octave(item))

    def take(self, paths: Iterable[str], *, executed: bool = False) -> None:
        """Add files; those that are not surely only *executed* count by their bytes."""
        for path in sorted(paths):
            known = self.files.get(path)
            if known is None:
                self._add(path, executed)
            elif not executed and known.semantic != known.exact:
                self.files[path] = SourceFile(path, known.exact, known.exact)

    def _add(self, path: str, executed: bool) -> None:
        exact = self._directory.exact(path)
        if exact is None:
            return
        self.files[path] = SourceFile(path, exact, exact)
        if path.endswith(".py"):
            self._add_python(path, executed)
        elif splitext(path)[1].lower() not in _DATA:
            self._add_script(path, executed)

    def _add_python(self, path: str, executed: bool) -> None:
        if executed:
            del self.files[path]
        self._add_programs(path)
        # A script finds its neighbours; what PYTHONPATH or -m add to these is not known here.
        for search in ((dirname(path),), (dirname(path), "")):
            with suppress(MissingSourceError):  # deleted since it was looked at
                self._join(python_closure(self.root, self.tracked, path, search, self.facts))

    def _add_programs(self, path: str) -> None:
        """Note what a Python file starts, which its closure does not tell."""
        full = self.root / path
        if full.is_file() and full.stat().st_size <= _LARGEST_SCRIPT:
            content = full.read_bytes()
            facts = read_script(basename(path), content, hashlib.sha256(content).hexdigest())
            self._start(path, facts)

    def _join(self, found: Closure) -> None:
        for file in found.files:
            known = self.files.get(file.path)
            if known is None and file.path.endswith(".py"):
                self._add_programs(file.path)
            elif known is None and splitext(file.path)[1].lower() not in _DATA:
                self._add_script(file.path, executed=False)
            exact_only = known is not None and known.semantic == known.exact
            self.files[file.path] = SourceFile(
                file.path, file.exact, file.exact if exact_only else file.semantic
            )
        self.imports |= found.imports
        self.sites.update(found.open_sites)

    def _add_script(self, path: str, executed: bool) -> None:
        full = self.root / path
        if full.stat().st_size > _LARGEST_SCRIPT:
            if executed:
                self.sites.add(OpenSite(path, 1, "it is too large to be read"))
            return
        content = full.read_bytes()
        if b"\0" in content:
            return
        exact = hashlib.sha256(content).hexdigest()
        facts = read_script(basename(path), content, exact)
        semantic = facts.semantic if executed and facts.semantic else exact
        self.files[path] = SourceFile(path, exact, semantic)
        self._waiting.append((path, facts))

    def _start(self, path: str, facts: ScriptFacts) -> None:
        """Note the interpreters that a script starts; its own where it can be a program."""
        self.programs |= facts.programs
        full = self.root / path
        if facts.shebang and full.is_file() and full.stat().st_mode & 0o111:
            self.programs.add(facts.shebang)

    def _follow(self, path: str, facts: ScriptFacts) -> None:
        beside = dirname(path)
        self._start(path, facts)
        self.imports |= facts.imports
        self.sites.update(OpenSite(path, line, what) for line, what in facts.open_sites)
        for literal in facts.sourced:
            self.take(self.mentions.files_ending(literal), executed=True)
        self.take(self.mentions.meant(facts.words, facts.text, beside))
        for module in facts.modules:
            self.take(self._module(module), executed=True)
        if facts.starts_octave:
            self._look_in("")
        for folder, deep in facts.folders:
            for place in self._places(folder, beside):
                self._look_in(place, deep=deep)

    def _places(self, folder: str, beside: str) -> set[str]:
        steps = {normpath(join(beside, folder)), normpath(folder)}
        found = {"" if place == "." else place for place in steps if not place.startswith("..")}
        return {place for place in found if not place.startswith("/")} | self.mentions.directories(
            folder
        )

    def _look_in(self, folder: str, *, deep: bool = False) -> None:
        """Take in what Octave finds when *folder* is on its path; tracked or not."""
        # Links may lead round in circles: each place is looked at once.
        seen = (os.path.realpath(self.root / folder), deep)
        if seen in self._octave:
            return
        self._octave.add(seen)
        for name, is_directory in sorted(self._directory.listing(folder).items()):
            path = join(folder, name)
            if not is_directory:
                if name.endswith(_OCTAVE_CODE) or name == "PKG_ADD":
                    self.take([path], executed=True)
            elif deep and not name.startswith("."):
                self._look_in(path, deep=True)
            elif name.startswith(_OCTAVE_FOLDERS):
                self._look_in(path)

    def closure(self) -> Closure:
        """Follow everything to its end."""
        self._drain()
        sites = sorted(self.sites, key=lambda site: (site.path, site.line, site.what))
        if sites:
            self.take(self.tracked - self.files.keys())
            self._drain()
        files = tuple(self.files[path] for path in sorted(self.files))
        programs = programs_for(self.files, frozenset(self.programs))
        return Closure(files, tuple(sites), frozenset(self.imports), programs)

    def _drain(self) -> None:
        while self._waiting:
            self._follow(*self._waiting.pop())


def _is_script(path: str, languages: Iterable[str]) -> bool:
    return any(path.lower().endswith(_SCRIPTS[language]) for language in languages)


def _language(item: str) -> str | None:
    found = language_of(item)
    return found if found in _SCRIPTS else None
