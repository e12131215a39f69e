"""Which interpreters a script starts, by what its text calls them.

Nothing here knows grammar: words are taken for programs also in comments, which at most makes
a result depend on a program that it does not need.
"""

import re
from collections.abc import Iterable, Iterator
from posixpath import basename, splitext

# A lone R is a word of too many texts: it is a program where it is called as one.
_NAME = (
    r"(?:Rscript|R(?=[ \t]+(?:CMD\b|-|<))|littler|octave(?:-cli)?|matlab|julia|perl|ruby"
    r"|node(?:js)?|lua|php|java|bash|zsh|ksh|python|pypy)(?:-?\d[\d.]*)?"
)
# A path counts from its root; of one that is put together ("$HOME/bin/R") the name counts.
_PROGRAM = re.compile(
    rf"(?:(?<![\w.+@~$}})/-])(/(?:[\w.+@-]+/)*))?(?<![\w.@$+-])({_NAME})(?![\w/-]|\.\w)"
)
# In code, words are names of variables far more often: there programs begin a text.
_IN_CODE = re.compile(rf"[\"'`](/(?:[\w.+@-]+/)*)?({_NAME})(?![\w/-]|\.\w)")
_SHEBANG = re.compile(rb"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S+)")
_R_CODE = re.compile(r"\b(?:Rscript|R|littler)\b[^\n;|&]{0,200}?\s-e\b")
# Behind -c, in a here-document, on standard input as a file or by a pipe.
_PYTHON_CODE = re.compile(
    r"\b(?:python|pypy)[\d.]*(?:[^\n;|&<]{0,200}?\s-\w*c\b|[^\n;|&<]{0,200}<<"
    r"|(?:[ \t]+-\w+){0,9}[ \t]*(?:<|[ \t]-(?![\w-])))"
)
_PIPED_CODE = re.compile(
    r"\|[ \t]*(?:/[\w./+@-]+/)?(?:python|pypy)[\d.]*(?:[ \t]+-\w+){0,9}[ \t]*(?=[\n;|&)]|$)"
)
_CODE_WITHIN = ((_R_CODE, "R"), (_PYTHON_CODE, "Python"), (_PIPED_CODE, "Python"))
_COMMENT = re.compile(r"(?:^|\s)#")
_LANGUAGES = {
    "R": "r",
    "Rscript": "r",
    "littler": "r",
    "octave": "octave",
    "octave-cli": "octave",
    "matlab": "octave",
    "python": "python",
    "pypy": "python",
}
_USUAL = {"r": "Rscript", "octave": "octave-cli"}
_SUFFIXES = {
    ".r": "r",
    ".rmd": "r",
    ".qmd": "r",
    ".rnw": "r",
    ".m": "octave",
    ".jl": "julia",
    ".pl": "perl",
    ".pm": "perl",
    ".rb": "ruby",
    ".lua": "lua",
    ".php": "php",
}


def programs_in(text: str, *, code: bool = False) -> frozenset[str]:
    """Return the interpreters that *text* calls, by name or absolute path.

    In *code*, of a language that is no shell's, they count at the beginning of a literal.
    """
    found = (_IN_CODE if code else _PROGRAM).findall(text)
    return frozenset(f"{folder}{name.rstrip('.')}" for folder, name in found)


def shebang(content: bytes) -> str:
    """Return the program that the first line of a script names; nothing where it names none."""
    match = _SHEBANG.match(content[:200].split(b"\n")[0])
    return match[1].decode(errors="replace") if match else ""


def code_between(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and description of R and Python code that stands in a script of a shell.

    What such code imports is not read.
    """
    for pattern, language in _CODE_WITHIN:
        for found in pattern.finditer(text):
            before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
            if not _COMMENT.search(before):
                yield text.count("\n", 0, found.start()) + 1, f"{language} code stands in it"


def language_of(program: str) -> str:
    """Return the language of an interpreter: ``r``, ``octave``, ``python``, or its own name."""
    name = re.sub(r"-?\d[\d.]*$", "", basename(program))
    return _LANGUAGES.get(name) or _LANGUAGES.get(name.partition("-")[0], name)


def programs_for(paths: Iterable[str], named: frozenset[str]) -> frozenset[str]:
    """Return *named*, and the usual interpreters of scripts that none of these can execute.

    Python is not among them: what executes it in an environment is keyed by that environment.
    """
    languages = {language_of(program) for program in named}
    wanted = {_SUFFIXES.get(splitext(path)[1].lower(), "") for path in paths} - {""}
    return named | {_USUAL.get(language, language) for language in wanted - languages}
