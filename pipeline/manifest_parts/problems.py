"""What is wrong with a manifest, and on which line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from provenance.errors import InvalidInputError

MANIFEST = "provenote.toml"

Path = tuple[str | int, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_TABLE = re.compile(rf"[ \t]*\[(?P<list>\[)?[ \t]*(?P<key>{_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"[ \t]*(?P<key>{_DOTTED})[ \t]*=")
_ONE_PART = re.compile(_PART)
# No key that a manifest may have is nested deeper; longer ones are not worth a line.
_DEEPEST = 8
_QUOTES = ('"""', "'" * 3)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what was found and expected, what to do."""

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """The problem as one line of text."""
        return " ".join(part for part in (f"{self.where}: {self.message}", self.hint) if part)


class ManifestError(InvalidInputError):
    """Raised when ``provenote.toml`` is missing or wrong; tells every problem, not the first."""

    code = "manifest"

    def __init__(self, problems: Sequence[Problem]) -> None:
        many = f"{MANIFEST} has {len(problems)} problems:\n" if len(problems) > 1 else ""
        super().__init__(many + "\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass
class Problems:
    """Problems as they are found, each given the line of the key that it is about."""

    lines: dict[Path, int] = field(default_factory=dict)
    found: list[tuple[int, Problem]] = field(default_factory=list)

    def add(self, path: Path, message: str, hint: str = "") -> None:
        """Note what is wrong with the value at *path*."""
        line = self._line(path)
        place = f"{MANIFEST}:{line}" if line else MANIFEST
        where = f"{place} {written(path)}".strip()
        self.found.append((line, Problem(where, message, hint)))

    def raise_any(self) -> None:
        """Raise ManifestError with all that was noted, in the order of the file."""
        if self.found:
            ordered = sorted(self.found, key=lambda item: item[0])
            raise ManifestError(list(dict.fromkeys(problem for _, problem in ordered)))

    def _line(self, path: Path) -> int:
        """Return the line of the nearest enclosing key that has one of its own, else 0."""
        for length in range(min(len(path), _DEEPEST), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0


def written(path: Path) -> str:
    """Return *path* as people write it: ``reports.daily.cases[0].date``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def lines_of(text: str) -> dict[Path, int]:
    """Return the line on which each table and key of a TOML *text* begins.

    What stands in an inline table or list has the line of the key that holds it. Lines of a
    text that goes over several are not taken for keys.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    closing = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if header := _TABLE.match(line):
            table = _parts(header["key"])
            if header["list"]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            _note(lines, table, number)
        elif key := _KEY.match(line):
            _note(lines, (*table, *_parts(key["key"])), number)
        closing = next((quote for quote in _QUOTES if line.count(quote) % 2), "")
    return lines


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _ONE_PART.findall(dotted))


def _note(lines: dict[Path, int], path: Path, number: int) -> None:
    for length in range(1, min(len(path), _DEEPEST) + 1):
        lines.setdefault(path[:length], number)
