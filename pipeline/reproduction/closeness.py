"""How near two texts are: the same, the same but for the last digits of numbers, or not."""

import re
from dataclasses import dataclass
from itertools import zip_longest

from pipeline.reproduction.answer import Grade
from pipeline.reproduction.normal import Window, normal

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?")
_SPACES = re.compile(r"[ \t]+")
_SHOWN = 160
_LEAD = 30


@dataclass(frozen=True)
class Closeness:
    """How near what is shown now is to what was shown before."""

    grade: Grade
    relative: float | None = None
    """The largest relative difference between two numbers, where only numbers differ."""
    before: str = ""
    after: str = ""
    aside: bool = False
    """Whether something was set aside, since it is never the same twice."""
    other_bytes: bool = False
    """Whether all values are equal, and the bytes that hold them are others."""


@dataclass(frozen=True)
class Measure:
    """By what two texts are compared: when each was made, and how near numbers have to be."""

    before: Window
    after: Window
    tolerance: float


def compare_texts(before: str, after: str, measure: Measure) -> Closeness:
    """Compare two texts line by line, number by number."""
    if before == after:
        return Closeness(Grade.IDENTICAL)
    old, new = normal(before, measure.before), normal(after, measure.after)
    if old == new:
        return Closeness(Grade.IDENTICAL, aside=True)
    relative = _largest(old, new)
    was, now = _first_difference(old, new)
    if relative is None or relative > measure.tolerance:
        return Closeness(Grade.DIFFERS, relative, was, now)
    return Closeness(Grade.WITHIN_TOLERANCE, relative, was, now)


def relative_difference(before: float, after: float) -> float:
    """Return the difference of two numbers, measured by the larger; NaN is equal to NaN."""
    if before == after or (before != before and after != after):  # noqa: PLR0124
        return 0.0
    difference = abs(before - after) / max(abs(before), abs(after))
    return difference if difference == difference else float("inf")  # noqa: PLR0124


def _largest(old: str, new: str) -> float | None:
    """Return the largest relative difference; None where other than numbers differ.

    Whole numbers count things or name them: of these there is no "nearly".
    """
    if _between_numbers(old) != _between_numbers(new):
        return None
    largest: float | None = None
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    for was, now in pairs:
        if was == now:
            continue
        if _is_whole(was) and _is_whole(now):
            return None
        largest = max(largest or 0.0, relative_difference(_value(was), _value(now)))
    return largest


def _is_whole(told: str) -> bool:
    return told.lstrip("+-").isdigit()


def _between_numbers(text: str) -> list[str]:
    # Pieces, and no mark in a number's place: any mark could be in the text itself.
    # Columns of tables grow and shrink with their digits.
    return [_SPACES.sub(" ", piece) for piece in _NUMBER.split(text)]


def _value(told: str) -> float:
    return float(told.replace(",", ""))


def _first_difference(old: str, new: str) -> tuple[str, str]:
    """Return the first two lines that differ, from a little before the place where they do."""
    for was, now in zip_longest(old.splitlines(), new.splitlines(), fillvalue=""):
        if was != now:
            place = next(
                (at for at, pair in enumerate(zip(was, now, strict=False)) if pair[0] != pair[1]),
                min(len(was), len(now)),
            )
            begin = max(0, place - _LEAD)
            return _cut(was, begin), _cut(now, begin)
    return "", "other white space"


def _cut(line: str, begin: int) -> str:
    lead, rest = ("…" if begin else ""), line[begin:].strip()
    return f"{lead}{rest}" if len(rest) <= _SHOWN else f"{lead}{rest[:_SHOWN]}…"
