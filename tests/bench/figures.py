"""What is measured: figures, what they are to reach, and the tables that they stand in."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS, BYTES, A_SECOND, BYTES_A_SECOND, RATIO = "s", "B", "/s", "B/s", "×"
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, over all its rounds."""

    name: str
    median: float
    minimum: float
    maximum: float
    rounds: int
    unit: str = SECONDS

    @classmethod
    def of(cls, name: str, values: Sequence[float], unit: str = SECONDS) -> "Figure":
        """Return what *values* come to."""
        median = statistics.median(values)
        return cls(name, median, min(values), max(values), len(values), unit)


@dataclass(frozen=True)
class Goal:
    """Something to be reached, and what was found; both in *unit*."""

    what: str
    found: float
    limit: float
    unit: str = RATIO
    at_least: bool = False
    """Whether more is better."""

    @property
    def reached(self) -> bool:
        """Whether what was found is on the right side of the limit, or on it."""
        return self.found >= self.limit if self.at_least else self.found <= self.limit

    @property
    def target(self) -> str:
        """The limit in words."""
        return f"{'≥' if self.at_least else '≤'} {told(self.limit, self.unit)}"


@dataclass(frozen=True)
class Table:
    """Figures that belong together; the first one is what the others are compared with."""

    row: str
    title: str
    figures: tuple[Figure, ...]
    goals: tuple[Goal, ...] = ()
    words: str = ""
    """What was done, for a reader of the page."""

    def ratio(self, figure: Figure) -> float | None:
        """Return how often the first figure goes into *figure*; None where they do not compare."""
        first = self.figures[0]
        if first.unit != figure.unit or not first.median:
            return None
        return figure.median / first.median


def ratio_goal(what: str, ours: Figure, theirs: Figure, limit: float) -> Goal:
    """Return the goal that *ours* takes at most *limit* of what *theirs* takes."""
    return Goal(what, ours.median / theirs.median, limit)


def told(value: float, unit: str) -> str:
    """Return a value as people read it: three digits that count, and its unit."""
    if unit == SECONDS:
        return f"{digits(value * 1000)} ms" if abs(value) < 1 else f"{digits(value)} s"
    if unit in (BYTES, BYTES_A_SECOND):
        for size, prefix in _PREFIXES:
            if abs(value) >= size:
                return f"{digits(value / size)} {prefix}{unit}"
    return f"{digits(value)} {unit}".rstrip()


def digits(value: float) -> str:
    """Return *value* with three digits that count, and none of an exponent."""
    for least, places in ((100, 0), (10, 1), (1, 2), (0.1, 3)):
        if abs(value) >= least:
            return f"{value:,.{places}f}"
    return f"{value:.4f}" if value else "0"
