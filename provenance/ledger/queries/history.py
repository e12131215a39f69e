"""The page of a report: its runs over time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from provenance.ledger.queries.metrics import (
    MetricChange,
    changes_since,
    first_metrics,
    previous_runs,
)
from provenance.ledger.queries.reasons import why_not_passed
from provenance.ledger.queries.runs import PAGE, RunRow, page_of, run_rows, select_rows
from provenance.ledger.tables import Run, RunJob

MOST_METRICS = 50
"""Metrics of a run that are told, where nobody wants fewer."""
_CONSEQUENCES = frozenset({"inputs", "missing"})
"""Reasons that follow from another job's: what moved first is told before them."""


class Shape(NamedTuple):
    """By what a filter narrows, but for its values: to build a query takes longer than many of
    them, so that there is one for each shape."""

    case: bool
    branch: bool

    def narrow(self, query: Select[Any]) -> Select[Any]:
        """Return *query* over runs, narrowed to what `Filter.values` are when it is executed."""
        query = query.where(Run.project_id == bindparam("project_id"))
        query = query.where(Run.report == bindparam("report"), Run.purpose.is_(None))
        if self.case:
            query = query.where(Run.case_key == bindparam("case_key"))
        return query.where(Run.branch == bindparam("branch")) if self.branch else query


@dataclass(frozen=True)
class Filter:
    """What narrows the runs of a report."""

    project_id: str
    report: str
    case_key: str | None = None
    branch: str | None = None

    @property
    def shape(self) -> Shape:
        """What a query is built for."""
        return Shape(case=bool(self.case_key), branch=bool(self.branch))

    @property
    def values(self) -> dict[str, Any]:
        """What it is executed with."""
        return dict(vars(self))


@dataclass(frozen=True)
class HistoryRow:
    """A run, some of its numbers, and why it was not the same as before."""

    run: RunRow
    metrics: tuple[MetricChange, ...]
    """Those that `History.columns` names."""
    moved: tuple[str, ...]
    """Sentences of the jobs that were executed, causes first; empty where all was reused."""
    why: str | None
    """Why it did not pass."""
    is_first: bool
    """Whether no run of its case is before it: what moved, moved against something else."""


@dataclass(frozen=True)
class History:
    """A page of the runs of a report, newest first."""

    rows: tuple[HistoryRow, ...]
    columns: Sequence[str]
    """The metrics that the rows tell: the first of those that these runs recorded."""
    older: bool


def report_history(
    session: Session, wanted: Filter, before: str | None = None, metrics: int = MOST_METRICS
) -> History:
    """Return a page of the report's runs, newest first, older than the id *before*.

    Of what they recorded, the first few *metrics* are told.
    """
    query = _newest_runs(wanted.shape, older=bool(before))
    runs, older = page_of(run_rows(session, query, {**wanted.values, "before": before}))
    ids = [run.id for run in runs]
    previous = previous_runs(session, ids)
    changes = changes_since(session, ids, previous, first_metrics(ids, metrics))
    columns = [*dict.fromkeys(metric.name for run_id in ids for metric in changes[run_id])]
    moved, why = what_moved(session, ids), why_not_passed(session, runs)
    rows = (
        HistoryRow(
            run,
            changes[run.id],
            moved.get(run.id, ()),
            why.get(run.id),
            is_first=run.id not in previous,
        )
        for run in runs
    )
    return History(tuple(rows), columns, older)


@cache
def _newest_runs(shape: Shape, older: bool) -> Select[Any]:
    query = shape.narrow(select_rows()).order_by(Run.id.desc()).limit(PAGE + 1)
    return query.where(Run.id < bindparam("before")) if older else query


def what_moved(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the distinct sentences of each run's executed jobs, causes before consequences."""
    query = (
        select(RunJob.run_id, RunJob.reason, RunJob.sentence)
        .where(RunJob.run_id.in_(run_ids), RunJob.status == "executed")
        .order_by(RunJob.run_id, RunJob.position)
    )
    causes: dict[str, list[str]] = defaultdict(list)
    rest: dict[str, list[str]] = defaultdict(list)
    for run_id, reason, sentence in session.execute(query):
        (rest if reason in _CONSEQUENCES else causes)[run_id].append(sentence)
    return {
        run_id: tuple(dict.fromkeys([*causes[run_id], *rest[run_id]]))
        for run_id in {*causes, *rest}
    }
