"""What R code says, token by token: its literals, its packages, and itself without comments."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<raw>[rR](?P<quote>["'])(?P<dashes>-*)(?P<bracket>[(\[{]))
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>(?:[^\W\d_]|\.(?!\d))[\w.]*|`(?:[^`\\]|\\.)*`)
    |(?P<operator>%[^%\n]*%|:::?|<<?-|->>?|==)
    |(?P<newline>\n)
    |(?P<blank>[ \t\f]+)
    |(?P<number>\.?\d[\w.]*)
    |(?P<other>[^"'`%\#])""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_LOADERS = {"library", "require", "requireNamespace", "loadNamespace", "attachNamespace"}
_RUNNERS = {"source", "sys.source", "parse", "dyn.load", "sourceCpp"}
"""They execute the file that they are given; ``parse`` gives what ``eval`` executes."""
_PROJECTS = {"load_all", "sourceDirectory"}
_LISTERS = {"list.files", "list.dirs", "dir", "Sys.glob", "dir_ls", "dir_info", "dir_map"}
"""They tell what lies in a folder: the current one where none is given."""
_WATCHED = _LOADERS | _RUNNERS | _PROJECTS | _LISTERS
# What paths are joined of: a call of these alone is told by the literals in it. ``paste0`` is
# not among them: it makes names of files whose literals are none.
_JOINERS = {"file.path", "here", "getwd", "dirname", "normalizePath", "mustWork"}
_JOINERS |= {"file", "local", "echo", "encoding", "envir", "chdir", "keep.source"}
_JOINERS |= {"TRUE", "FALSE", "T", "F", "new.env", "globalenv", "environment", "NULL"}


class Token(NamedTuple):
    """A piece of the source: what it is, its text, and the line that it begins on."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class RFacts:
    """Literals that may name files, those that are executed, packages, open sites.

    ``semantic`` is the code without comments, blank lines and blanks at the ends of lines;
    None where only the bytes can tell.
    """

    semantic: str | None
    literals: tuple[str, ...]
    sourced: tuple[str, ...]
    packages: frozenset[str]
    open_sites: tuple[tuple[int, str], ...]


def read(text: str) -> RFacts | None:
    """Return what R code says; None where it is no R (a string that does not end)."""
    tokens = tokenize(text)
    if tokens is None:
        return None
    # R takes a lone carriage return for the end of a line, and so of a comment.
    semantic = None if "\r" in text or "\0" in text else without_comments(tokens)
    code = [token for token in tokens if token.kind not in ("comment", "blank", "newline")]
    reader = _Reader(code)
    reader.read()
    literals = (value(token) for place, token in enumerate(code) if place not in reader.executed)
    return RFacts(
        semantic,
        tuple(dict.fromkeys(filter(None, literals))),
        tuple(dict.fromkeys(reader.sourced)),
        frozenset(reader.packages),
        tuple(sorted(set(reader.sites))),
    )


def tokenize(text: str) -> list[Token] | None:
    """Split *text* into tokens that together are *text*; None where R would refuse it."""
    tokens, place, line = [], 0, 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            return None
        kind, end = str(found.lastgroup), found.end()
        if found["raw"]:
            closing = f"{_CLOSING[found['bracket']]}{found['dashes']}{found['quote']}"
            kind, end = "string", text.find(closing, end) + len(closing)
            if end < len(closing) + found.end():
                return None
        tokens.append(Token(kind, text[place:end], line))
        line += text.count("\n", place, end)
        place = end
    return tokens


def without_comments(tokens: Sequence[Token]) -> str:
    """Return the code without comments, blank lines and blanks at the ends of lines."""
    lines: list[str] = []
    current: list[str] = []
    for number, token in enumerate([*tokens, Token("newline", "\n", 0)]):
        if token.kind == "newline":
            # The blanks at the end stand in a token of their own, never inside a string.
            while current and not current[-1].strip(" \t\f"):
                current.pop()
            if current:
                lines.append("".join(current))
            current = []
        elif token.kind != "comment" or (number == 0 and token.text.startswith("#!")):
            current.append(token.text)
    return "\n".join(lines)


def value(token: Token) -> str:
    """Return what a literal holds, as it is written; of any other token nothing."""
    if token.kind != "string":
        return ""
    if token.text[0] in "rR":
        return re.sub(r"""^[rR]["']-*.|.-*["']$""", "", token.text, flags=re.DOTALL)
    return token.text[1:-1]


class _Reader:
    def __init__(self, code: list[Token]) -> None:
        self.code = code
        self.sourced: list[str] = []
        self.executed: set[int] = set()
        self.packages: set[str] = set()
        self.sites: list[tuple[int, str]] = []

    def read(self) -> None:
        for place, token in enumerate(self.code):
            if token.kind != "name":
                continue
            name = token.text.strip("`")
            if self._text(place + 1) in ("::", ":::"):
                self.packages.add(name)
            elif name in _WATCHED and self._text(place - 1) not in "$@":
                self._use(place, name)

    def _text(self, place: int) -> str:
        return self.code[place].text if 0 <= place < len(self.code) else "\n"

    def _use(self, place: int, name: str) -> None:
        line, after = self.code[place].line, self._text(place + 1)
        if name in _PROJECTS:
            self.sites.append((line, f"{name} loads files of the project"))
        elif after == "(":
            arguments = list(self._first_argument(place + 2))
            take = self._load if name in _LOADERS else self._run
            if name in _LISTERS:
                take = self._list
            take(name, line, arguments)
        elif after not in ("=", "<-", "<<-") and name not in ("parse", "dir"):
            self.sites.append((line, f"{name} is handed on"))

    def _first_argument(self, place: int) -> Iterator[int]:
        """Yield the places of all tokens of a call, up to its closing parenthesis."""
        depth = 0
        while place < len(self.code):
            text = self._text(place)
            if text in (")", "]", "}") and depth == 0:
                return
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            yield place
            place += 1

    def _load(self, name: str, line: int, places: list[int]) -> None:
        first = self.code[places[0]] if places else None
        alone = len(places) < 2 or self._text(places[1]) == ","
        plain = "character.only" not in {self._text(place) for place in places}
        if first is not None and alone:
            quoted = value(first)
            if quoted or (plain and first.kind == "name" and name in ("library", "require")):
                self.packages.add(quoted or first.text.strip("`"))
                return
        if places:
            self.sites.append((line, f"{name} of what only running can tell"))

    def _list(self, name: str, line: int, places: list[int]) -> None:
        where = list(self._folder(places))
        literals = [literal for place in where if (literal := value(self.code[place]))]
        names = {self.code[p].text for p in where if self.code[p].kind == "name"}
        named = any(re.search(r"\w", literal) for literal in literals)
        if not named or names - _JOINERS - {"c"}:
            self.sites.append((line, f"{name} lists a folder that is not named"))

    def _folder(self, places: list[int]) -> Iterator[int]:
        """Yield the places of the argument that tells the folder: the path, else the first."""
        arguments: list[list[int]] = [[]]
        depth = 0
        for place in places:
            text = self._text(place)
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            if text == "," and depth == 0:
                arguments.append([])
            else:
                arguments[-1].append(place)
        named = {self._text(a[0]): a[2:] for a in arguments if a and self._text(a[0] + 1) == "="}
        plain = (a for a in arguments if a and self._text(a[0] + 1) != "=")
        yield from named.get("path") or named.get("paths") or next(plain, [])

    def _run(self, name: str, line: int, places: list[int]) -> None:
        literals = [place for place in places if value(self.code[place])]
        names = {self.code[p].text for p in places if self.code[p].kind == "name"}
        if not literals or names - _JOINERS:
            self.sites.append((line, f"{name} of what only running can tell"))
        elif len(literals) == 1 and name in ("source", "sys.source"):
            self.executed.add(literals[0])
            self.sourced.append(value(self.code[literals[0]]))
