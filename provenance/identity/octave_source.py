"""What Octave or Matlab code says, as far as lines and words can tell without a grammar.

A quote may begin a string or transpose a matrix, which only the whole grammar knows. So this
looks at nothing finer than lines where it takes comments away, and finds too much rather
than too little where it looks for paths.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^[ \t]*[%#][{}][ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"[ \t]*(?:[%#](?![!{}]).*)?$")
_CALL = re.compile(
    r"(?<![\w.@])(addpath|source|run|evalin|evalc|eval|autoload|cd|chdir|mex)[ \t]*\("
)
_COMMAND = re.compile(
    r"(?:^|[;,])[ \t]*(addpath|source|run|cd|chdir)[ \t]+(?![=(~!<>&|+*/^-]?=|\()([^;,\n%#]+)",
    re.MULTILINE,
)
_HANDLE = re.compile(r"@[ \t]*(addpath|source|run|evalc|eval|cd)\b")
_PACKAGE = re.compile(r"\bpkg[ \t]*\(?[ \t]*[\"']?load[\"']?[ \t,]+([^\n;)%#]+)")
_DEFINITION = re.compile(r"\bfunction\b[^\n]*$")
_LITERAL = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_NAME = re.compile(r"[A-Za-z_]\w*")
# What paths are joined of: a call of these alone is told by the literals in it.
_JOINERS = {"fullfile", "genpath", "fileparts", "mfilename", "pwd", "filesep", "pathsep", "end"}
_FOLDERS = {"addpath", "cd", "chdir"}
_NO_FOLDERS = {"fullpath", "fullpathext", "-begin", "-end", "", "/", ":"}


@dataclass(frozen=True, slots=True)
class OctaveFacts:
    """The code without lines of comments, folders that it adds, packages, open sites.

    ``semantic`` is None where only the bytes can tell.
    """

    code: str
    semantic: str | None
    folders: tuple[tuple[str, bool], ...]
    packages: frozenset[str]
    open_sites: tuple[tuple[int, str], ...]


def read(text: str) -> OctaveFacts:
    """Return what the code *text* says."""
    semantic = without_comments(text)
    # Lines keep their numbers: what is taken away stays as an empty line.
    code = text if semantic is None else "\n".join(_blanked(text))
    folders: list[tuple[str, bool]] = []
    sites = [(_line(code, at.start()), f"{at[1]} is handed on") for at in _HANDLE.finditer(code)]
    for position, name, arguments in _calls(code):
        literals = ["".join(pair) for pair in _LITERAL.findall(arguments)]
        names = _NAME.findall(_LITERAL.sub(" ", arguments))
        if set(names) - _JOINERS or name.startswith("eval") or not (literals or names):
            sites.append((_line(code, position), f"{name} of what only running can tell"))
        elif name in _FOLDERS:
            folders += _folders(literals, names)
    for found in _COMMAND.finditer(code):
        if found[1] in _FOLDERS:
            folders += [(word.strip("\"'"), False) for word in found[2].split()]
    packages = {name for found in _PACKAGE.findall(code) for name in re.findall(r"[\w-]+", found)}
    kept = tuple(dict.fromkeys(folder for folder in folders if folder[0] not in _NO_FOLDERS))
    return OctaveFacts(code, semantic, kept, frozenset(packages), tuple(sorted(set(sites))))


def without_comments(text: str) -> str | None:
    """Return *text* without lines that are blank or a comment, and blanks at ends of lines.

    None where that cannot be told line by line: block comments, strings over several lines.
    A comment behind code stays, since what looks like its begin may stand in a string; so
    does a line after a continuation, and a test (``%!``).
    """
    if "\r" in text or "\0" in text or _BLOCK.search(text) or re.search(r"\\[ \t]*$", text, re.M):
        return None
    return "\n".join(line for line in _blanked(text) if line)


def _blanked(text: str) -> Iterator[str]:
    continued = False
    for number, line in enumerate(text.split("\n")):
        kept = continued or (number == 0 and line.startswith("#!"))
        continued = "..." in line
        if kept or continued:
            # An empty line after a continuation ends what was continued: it counts.
            yield line or " "
        else:
            yield "" if _COMMENT.match(line) else line.rstrip(" \t")


def _calls(code: str) -> Iterator[tuple[int, str, str]]:
    """Yield position, name and arguments of each call that changes what code is found."""
    for found in _CALL.finditer(code):
        start = code.rfind("\n", 0, found.start()) + 1
        if not _DEFINITION.search(code[start : found.start()]):
            yield found.start(), found[1], _arguments(code, found.end())


def _arguments(code: str, start: int) -> str:
    depth, place = 1, start
    while place < len(code) and depth:
        depth += (code[place] == "(") - (code[place] == ")")
        place += 1
    return code[start : place - 1] if depth == 0 else code[start:]


def _folders(literals: list[str], names: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield what ``addpath`` adds, given as literals or joined of such.

    ``fileparts(mfilename("fullpath"))`` is the script's own folder, each ``fileparts`` more
    the one above.
    """
    deep = "genpath" in names
    parts = [part.strip("/") or part for part in literals if part not in _NO_FOLDERS]
    yield from ((part, deep) for literal in parts for part in literal.split(":"))
    if names:
        up = [".."] * (names.count("fileparts") - 1)
        yield "/".join([*up, *parts]) or ".", deep


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
