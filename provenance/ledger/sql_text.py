"""The text of a query, read as far as it takes to know its parameters and its statements."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

# The rules are PostgreSQL's; where SQLite reads a text differently, its own guard decides.
_LETTER = r"[A-Za-z_\x80-\U0010ffff]"
_TOKEN = re.compile(
    rf"""(?P<escaped>[uU]&["']|[eE]')
    |'(?:[^']|'')*+(?:'|\Z)
    |\$(?P<tag>(?:{_LETTER}(?:{_LETTER}|\d)*)?)\$.*?(?:\$(?P=tag)\$|\Z)
    |(?P<comment>--[^\n\r]*|/\*.*?(?:\*/|\Z))
    |"(?P<name>(?:[^"]|"")*+)(?:"|\Z)
    |::|:(?P<bind>[A-Za-z_]\w*)
    |(?P<word>{_LETTER}(?:{_LETTER}|[\d$])*)
    |(?P<semicolon>;)
    |(?P<open>\()
    |\d+|\s+|.""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True)
class QueryText:
    """A query in SQL, whose parameters are written as ``:name``."""

    text: str

    @cached_property
    def _tokens(self) -> list[re.Match[str]]:
        """Return what the text is made of, without comments and white space."""
        tokens = _TOKEN.finditer(self.text)
        return [found for found in tokens if not found["comment"] and not found[0].isspace()]

    @property
    def first_word(self) -> str:
        """The word that the statement begins with, in capitals; a bracket before it is skipped."""
        meant = (found for found in self._tokens if not (found["open"] or found["semicolon"]))
        return next((found[0].upper() for found in meant), "")

    @property
    def binds(self) -> tuple[str, ...]:
        """The names of its parameters, each once."""
        return tuple(dict.fromkeys(found["bind"] for found in self._tokens if found["bind"]))

    @property
    def several(self) -> bool:
        """Whether something follows after the end of the first statement."""
        ends = [at for at, found in enumerate(self._tokens) if found["semicolon"]]
        return any(not found["semicolon"] for found in self._tokens[ends[0] :]) if ends else False

    @property
    def escaped_names(self) -> bool:
        """Whether a name or text is spelled with escapes (``U&"…"``, ``E'…'``), unread here."""
        return any(found["escaped"] for found in self._tokens)

    @property
    def nested_comments(self) -> bool:
        """Whether a comment begins within a comment: databases disagree on where that ends."""
        comments = (found["comment"] for found in _TOKEN.finditer(self.text))
        return any(found[:2] == "/*" and "/*" in found[2:] for found in comments if found)

    @property
    def called(self) -> frozenset[str]:
        """The names of functions, among others: those before a bracket, and those after a dot.

        PostgreSQL takes ``('a'::text).f`` for ``f('a'::text)``.
        """
        pairs = zip(self._tokens, self._tokens[1:], strict=False)
        names = (
            _name(after) if found[0] == "." else _name(found) if after["open"] else ""
            for found, after in pairs
        )
        return frozenset(name for name in names if name)

    @property
    def names(self) -> frozenset[str]:
        """All names, of tables, columns and functions, and the words of the language."""
        return frozenset(name for name in map(_name, self._tokens) if name)

    def without_end(self) -> str:
        """Return the text without the semicolon at its end, and comments that stand behind it."""
        ends = [found.start() for found in self._tokens if found["semicolon"]]
        return self.text[: ends[0]] if ends and not self.several else self.text

    def with_binds(self, written: Callable[[str], str]) -> str:
        """Return the text for a driver that knows ``%`` and takes parameters as *written*."""
        text = self.without_end()
        return _TOKEN.sub(
            lambda found: written(found["bind"]) if found["bind"] else found[0].replace("%", "%%"),
            text,
        )


def _name(token: re.Match[str]) -> str:
    """Return the name as the database looks it up; an empty text where it is none."""
    if token["name"] is not None:
        return token["name"].replace('""', '"')
    return (token["word"] or "").lower()
