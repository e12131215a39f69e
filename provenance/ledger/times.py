"""How long a run may take: what the last executed runs of its case took, cell by cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from provenance.ledger.columns import utc_now
from provenance.ledger.inserting import insert_into
from provenance.ledger.trace_tables import CaseTimes

REMEMBERED = 5
"""So many runs of a case are remembered; the median of a few forgives one that was odd."""
_OTHERS = 20


class CaseKey(NamedTuple):
    """One case of a report."""

    project_id: str
    report: str
    case_key: str


@dataclass(frozen=True)
class Took:
    """How one executed run spent its time, in seconds."""

    before: float
    """Until its first cell began: the commit laid out, the environment, the stages."""
    cells: Mapping[int, float]
    """Each code cell by its place in the notebook."""
    after: float
    """From the end of the last cell: the page, and keeping everything."""
    total: int
    """Cells of the notebook, those of prose too."""

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.before + sum(self.cells.values()) + self.after


@dataclass(frozen=True)
class Moment:
    """How far a run is: seconds since its start, and where it stands in its cells."""

    elapsed: float
    cells_done: int = 0
    total: int | None = None
    """None as long as no cell has begun."""
    since: float = 0.0
    """Seconds since a cell began or ended the last time."""


class Left(NamedTuple):
    """The rest of a run, in seconds."""

    seconds: float
    at_least: float
    """What of it does not become less before something happens: the next cell ends."""


def expected_left(expected: Took, now: Moment) -> Left:
    """Return how long a run will go on that is expected to spend its time as *expected*.

    What takes longer than it used to is taken to be over soon; the rest is expected all the
    same. Of another number of cells nothing is known but the whole.
    """
    if now.total is None:
        rest = expected.seconds - expected.before
        return Left(max(0.0, expected.before - now.elapsed) + rest, rest)
    if now.total != expected.total:
        return Left(max(0.0, expected.seconds - now.elapsed), 0.0)
    ahead = [expected.cells[index] for index in sorted(expected.cells) if index >= now.cells_done]
    at_work, *later = [*ahead, expected.after]
    return Left(max(0.0, at_work - now.since) + sum(later), sum(later))


def remember_took(session: Session, case: CaseKey, took: Took) -> None:
    """Note how long a run of *case* took; the oldest that is remembered is forgotten."""
    none = {**case._asdict(), "seconds": 0.0, "recent": [], "at": utc_now()}
    session.execute(insert_into(session, CaseTimes).values(none).on_conflict_do_nothing())
    # Locked: another run of the case may be published at the same moment.
    row = session.get_one(CaseTimes, tuple(case), with_for_update=True)
    recent = [*map(_read, row.recent), took][-REMEMBERED:]
    row.recent, row.at = [_as_json(one) for one in recent], utc_now()
    row.seconds = _typical(recent).seconds


def expected_seconds(session: Session, cases: Iterable[CaseKey]) -> dict[CaseKey, float]:
    """Return how long a run of each case is expected to take; those are left out that nobody knows.

    A case that was never executed takes as long as others of its report.
    """
    wanted = set(cases)
    query = select(*_CASE, CaseTimes.seconds).where(_is_one_of(wanted))
    found = {CaseKey(*row[:3]): row[3] for row in session.execute(query)}
    return found | _like_others(session, wanted - found.keys())


def expected_times(session: Session, cases: Iterable[CaseKey]) -> dict[CaseKey, Took]:
    """Return how a run of each case is expected to spend its time, as far as anybody knows.

    The median of the last runs, part by part. Only runs of the same cells as the newest one
    count: a template that was changed takes another time. A case that was never executed takes
    as long as the one of its report that was executed last.
    """
    wanted = set(cases)
    found = {
        CaseKey(row.project_id, row.report, row.case_key): _typical([*map(_read, row.recent)])
        for row in session.scalars(select(CaseTimes).where(_is_one_of(wanted)))
    }
    unknown = wanted - found.keys()
    for report in {case[:2] for case in unknown}:
        row = session.scalar(_of_report(*report).limit(1))
        if row is not None:
            typical = _typical([*map(_read, row.recent)])
            found |= {case: typical for case in unknown if case[:2] == report}
    return found


_CASE = (CaseTimes.project_id, CaseTimes.report, CaseTimes.case_key)


def _is_one_of(cases: Iterable[CaseKey]) -> ColumnElement[bool]:
    return tuple_(*_CASE).in_([tuple(case) for case in cases])


def _like_others(session: Session, cases: Iterable[CaseKey]) -> dict[CaseKey, float]:
    """Return what runs of other cases of the same reports take."""
    wanted = set(cases)
    reports = {case[:2] for case in wanted}
    known = {report: _of_others(session, *report) for report in reports}
    seconds = {case: known[case[:2]] for case in wanted}
    return {case: one for case, one in seconds.items() if one is not None}


def _of_others(session: Session, project_id: str, report: str) -> float | None:
    rows = session.scalars(_of_report(project_id, report).limit(_OTHERS)).all()
    return median(row.seconds for row in rows) if rows else None


def _of_report(project_id: str, report: str) -> Select[CaseTimes]:
    """Select the cases of a report, the one that was executed last first."""
    query = select(CaseTimes).where(CaseTimes.project_id == project_id, CaseTimes.report == report)
    return query.order_by(CaseTimes.at.desc())


def _typical(recent: Sequence[Took]) -> Took:
    alike = [took for took in recent if _shape(took) == _shape(recent[-1])]
    return Took(
        median(took.before for took in alike),
        {index: median(took.cells[index] for took in alike) for index in recent[-1].cells},
        median(took.after for took in alike),
        recent[-1].total,
    )


def _shape(took: Took) -> tuple[int, frozenset[int]]:
    return took.total, frozenset(took.cells)


def _as_json(took: Took) -> dict[str, Any]:
    return {
        "before": round(took.before, 3),
        "cells": [[index, round(seconds, 3)] for index, seconds in sorted(took.cells.items())],
        "after": round(took.after, 3),
        "total": took.total,
    }


def _read(told: Mapping[str, Any]) -> Took:
    return Took(told["before"], dict(told["cells"]), told["after"], told["total"])
