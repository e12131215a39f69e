"""Where code lists a folder that nothing in it names, so that any file may be what it finds.

A command runs on a copy of the files that it stands on. Code that looks round there would find
nothing and go on as if there was nothing: so such places open the closure.
"""

import re
from collections.abc import Iterator

# A word of nothing but ``*``, ``?``, dots, slashes and variables, as in ``for f in "$1"/*; do``.
_EVERYTHING = re.compile(
    r"""(?:(?<=[\s=])|^)(?:["']?\$\{?[\w@*]+\}?["']?)*[./]*["']?[*?][*?./]*(?=[\s;)|&"'`]|$)""",
    re.MULTILINE,
)
_SELECT = re.compile(r"select(?:\s+distinct)?\s*$", re.IGNORECASE)
_LISTERS = re.compile(
    r"(?:^|[;&|(`]|\bdo\b|\bthen\b|\belse\b)[ \t]*(ls|dir|vdir|tree|du|find)(?![\w=.-])"
    r"([^\n;&|)`#]*)",
    re.MULTILINE,
)
_LITERAL = re.compile(r"""(["'`])((?:(?!\1)[^\n])*)\1""")
_CALLS = re.compile(
    r"\b(glob|opendir|readdirSync|readdir|scandir|walkdir|DirectoryIterator"
    r"|Dir(?:\.(?:glob|entries|children|each_child|foreach|new|open))?(?=[\[( ]))"
    r"[ \t]*(?=[(\[\"'`$<\w ])([^\n;]*)"
)
_OCTAVE_CALL = re.compile(r"(?<![\w.@])(dir|ls|glob|readdir|what)[ \t]*\(([^\n;]*)")
_OCTAVE_BARE = re.compile(r"(?:^[ \t]*|[=,(\[][ \t]*)(dir|ls)[ \t]*(?=[;,)\]%#]|$)", re.MULTILINE)
_OCTAVE_WORDS = re.compile(r"^[ \t]*(dir|ls)[ \t]+(?![=(])([^\n;,%#]+)", re.MULTILINE)
_OCTAVE_PATHS = {"fullfile", "fileparts", "mfilename", "pwd", "filesep", "struct", "numel"}


def in_shell(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and words for each place where a shell script lists what it does not name."""
    for found in _EVERYTHING.finditer(text):
        before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        comment = before.lstrip().startswith("#")
        case = not before.strip() and text[found.end() : found.end() + 1] == ")"
        sum_of = "((" in before and "))" not in before.rpartition("((")[2]
        if not (comment or case or sum_of or _SELECT.search(before)):
            yield _line(text, found.start()), f"{found[0].strip()} stands for any file"
    for found in _LISTERS.finditer(text):
        if not _shell_folders(found[1], found[2]):
            yield _line(text, found.start(1)), f"{found[1]} lists a folder that is not named"


def shell_folders(text: str) -> Iterator[str]:
    """Yield the words that a shell script gives to programs that list folders."""
    for found in _LISTERS.finditer(text):
        yield from _shell_folders(found[1], found[2])


def _shell_folders(program: str, arguments: str) -> list[str]:
    """Return the arguments that are literal folders; none where one of them is not."""
    words = [word.strip("\"'") for word in arguments.split()]
    if program == "find":
        options = (place for place, word in enumerate(words) if re.match(r"[-!(\\]", word))
        words = words[: next(options, len(words))]
    words = [word for word in words if not re.match(r"-|\d?[<>]", word)]
    return words if all(map(_is_literal, words)) else []


def in_calls(text: str) -> Iterator[tuple[int, str]]:
    """Yield such places in Perl, Ruby, Node, PHP, Julia and the like."""
    for found in _CALLS.finditer(text):
        # Perl's readdir is given what opendir opened.
        if found[1] == "readdir" and "opendir" in text:
            continue
        literals = [literal for _, literal in _LITERAL.findall(found[2])]
        if not literals or not all(map(_is_literal, literals[:1])):
            yield _line(text, found.start()), f"{found[1]} lists a folder that is not named"


def in_octave(code: str) -> Iterator[tuple[int, str]]:
    """Yield such places in Octave or Matlab code."""
    for found in _OCTAVE_CALL.finditer(code):
        arguments = _within(found[2])
        literals = [literal for _, literal in _LITERAL.findall(arguments)]
        names = set(re.findall(r"[A-Za-z_]\w*", _LITERAL.sub(" ", arguments)))
        if names - _OCTAVE_PATHS or not any(map(_is_literal, literals)):
            yield _line(code, found.start(1)), f"{found[1]} lists a folder that is not named"
    for found in _OCTAVE_BARE.finditer(code):
        if not re.search(rf"(?<![\w.]){found[1]}[ \t]*=(?!=)", code):  # a variable of that name
            yield _line(code, found.start(1)), f"{found[1]} lists the current folder"
    for found in _OCTAVE_WORDS.finditer(code):
        # What has a dot or a slash is found as a name; patterns are, only where they are quoted.
        if not re.fullmatch(r"[^*?\[]*(?:\w[./]|[./]\w)[^*?\[]*", found[2]):
            yield _line(code, found.start(1)), f"{found[1]} lists a folder that is not named"


def _within(rest: str) -> str:
    """Return *rest* up to the parenthesis that closes the call."""
    depth = 1
    for place, letter in enumerate(rest):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return rest[:place]
    return rest


def _is_literal(word: str) -> bool:
    """Tell whether *word* names something, with nothing in it that only running can tell."""
    return re.search(r"\w", word) is not None and not re.search(r"[$`]|#\{", word)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
