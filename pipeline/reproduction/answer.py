"""The answer to "can this be made again?": one of four, and what it stands on."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

TOLERANCE = 1e-9
"""The relative difference up to which two numbers count as near, unless somebody says else."""
MOST_FINDINGS = 50
MOST_ASIDE = 20


class Grade(StrEnum):
    """How near two results are, from best to worst."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within_tolerance"
    DIFFERS = "differs"
    CANNOT = "cannot"


_RANK = {grade: rank for rank, grade in enumerate(Grade)}


@dataclass(frozen=True)
class Finding:
    """One place where a result is not the same, byte for byte, as it was."""

    where: str
    """``stage features``, ``cell 4``, ``file scores.csv``, ``metric skill`` or ``checks``."""
    grade: Grade
    said: str
    """What differs, as the end of a sentence: ``it shows 0.7, was 0.4``."""
    relative: float | None = None
    """The largest relative difference between numbers, where all of it is numbers."""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Counts:
    """How much was compared."""

    stages: int = 0
    cells: int = 0


@dataclass(frozen=True)
class Answer:
    """What came of one attempt to make a run again."""

    grade: Grade
    sentence: str
    details: dict[str, Any]


def worst(grades: Iterable[Grade]) -> Grade:
    """Return the worst of *grades*; of none at all, ``identical``."""
    return max(grades, key=_RANK.__getitem__, default=Grade.IDENTICAL)


def cannot(because: str, hint: str = "") -> Answer:
    """Return the answer that nobody can say; *because* is the end of the sentence."""
    because = because.rstrip(".")
    details = {"because": because, "hint": hint} if hint else {"because": because}
    return Answer(Grade.CANNOT, f"Cannot be reproduced, because {because}.", details)


def answer(
    findings: Sequence[Finding],
    aside: Sequence[str],
    counts: Counts,
    tolerance: float,
    other_bytes: Sequence[str] = (),
) -> Answer:
    """Return the answer that *findings*, in the order of the run, amount to.

    *other_bytes* names the files whose values are equal and whose bytes are not.
    """
    grade = worst(finding.grade for finding in findings)
    details = {
        "tolerance": tolerance,
        "compared": asdict(counts),
        "findings": [asdict(finding) for finding in findings[:MOST_FINDINGS]],
        "more_findings": max(0, len(findings) - MOST_FINDINGS),
        "aside": list(aside[:MOST_ASIDE]),
        "other_bytes": list(other_bytes[:MOST_ASIDE]),
        **_place(grade, findings),
    }
    sentence = _sentence(grade, findings, counts)
    if grade != Grade.DIFFERS:
        sentence += _named("Set aside as times, ids or places", aside)
        sentence += _named("Other bytes, equal values", other_bytes)
    return Answer(grade, sentence, details)


def _named(what: str, where: Sequence[str]) -> str:
    if not where:
        return ""
    more = f" and {len(where) - 3} more" if len(where) > 3 else ""
    return f" {what}: {', '.join(where[:3])}{more}."


def _place(grade: Grade, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return where a difference begins, or where the largest one is."""
    if grade == Grade.DIFFERS:
        differing = [finding for finding in findings if finding.grade == grade]
        cell = next((found.where for found in differing if found.where.startswith("cell ")), None)
        return {"began": differing[0].where, "cell": int(cell[5:]) if cell else None}
    largest = _largest(findings)
    if grade == Grade.WITHIN_TOLERANCE and largest is not None:
        return {"largest": {"relative": largest.relative, "where": largest.where}}
    return {}


def _largest(findings: Sequence[Finding]) -> Finding | None:
    near = [one for one in findings if one.grade == Grade.WITHIN_TOLERANCE]
    return max(near, key=lambda one: one.relative or 0.0, default=None)


def _sentence(grade: Grade, findings: Sequence[Finding], counts: Counts) -> str:
    if grade == Grade.DIFFERS:
        return _differs([finding for finding in findings if finding.grade == grade])
    largest = _largest(findings)
    if grade == Grade.WITHIN_TOLERANCE and largest is not None:
        how = f"{largest.relative or 0.0:.2g}"
        return f"Within tolerance: the largest relative difference is {how}, in {largest.where}."
    stages = f"{_counted(counts.stages, 'stage')} and " if counts.stages else ""
    return f"Identical: {stages}{_counted(counts.cells, 'cell')} gave the same."


def _differs(found: Sequence[Finding]) -> str:
    first = found[0]
    parts = [f"Differs at {first.where}: {first.said}."]
    if first.where.startswith("cell "):
        return parts[0]
    cell = next((one for one in found if one.where.startswith("cell ")), None)
    if cell is not None:
        parts.append(f"The report shows it first in {cell.where}: {cell.said}.")
    elif first.where.startswith("stage "):
        parts.append("The report shows the same all the same.")
    return " ".join(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
