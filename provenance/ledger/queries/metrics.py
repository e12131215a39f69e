"""Metrics of runs and how they moved."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from provenance.ledger.among import among
from provenance.ledger.states import REUSABLE, Status
from provenance.ledger.tables import Metric, Run, of_branch

Direction = Literal["new", "same", "changed", "better", "worse"]


@dataclass(frozen=True)
class MetricChange:
    """A metric of a run, beside the one of the run before it."""

    name: str
    value: float | None
    unit: str | None
    better: str | None
    previous: float | None
    compared: bool
    """Whether the run before recorded this metric at all."""
    first: bool
    """Whether there is no run before."""

    @property
    def delta(self) -> float | None:
        """How far the number moved; null where either is not a number."""
        if self.value is None or self.previous is None:
            return None
        return self.value - self.previous

    @property
    def direction(self) -> Direction:
        """What the move means: by the metric's own sense of better, never by sign alone."""
        if not self.compared:
            return "new"
        if self.value == self.previous:
            return "same"
        if self.delta is None or self.better not in ("higher", "lower"):
            return "changed"
        return "better" if (self.delta > 0) == (self.better == "higher") else "worse"


class MetricValue(NamedTuple):
    """A metric that a run recorded."""

    run_id: str
    name: str
    value: float | None
    unit: str | None
    better: str | None


def metrics_of(
    session: Session, run_ids: Iterable[str], names: Sequence[str] | Select[str] | None = None
) -> dict[str, list[MetricValue]]:
    """Return the metrics of each run in the order they were recorded; only *names*, if given."""
    wanted = sorted(set(run_ids))
    found: dict[str, list[MetricValue]] = defaultdict(list)
    if not wanted:
        return found
    columns = (Metric.run_id, Metric.name, Metric.value, Metric.unit, Metric.better)
    query = select(*columns).where(among(session, Metric.run_id, wanted)).order_by(Metric.position)
    if names is not None:
        query = query.where(Metric.name.in_(names))
    for row in session.execute(query):
        found[row.run_id].append(MetricValue(*row))
    return found


def previous_runs(session: Session, run_ids: Sequence[str]) -> dict[str, str]:
    """Return, for each run that has one, the run before it.

    That is the one before in the order of commits, and of runs at the same commit: of the
    same report and case on the same branch, and one that told something about code and data:
    it passed or failed. Commits that were pushed together may be evaluated in any order. A run
    about another one is compared with that. What was never committed comes before nothing but
    another try.
    """
    if not run_ids:
        return {}
    rows = session.execute(_runs_before(), {"runs": list(run_ids)})
    return {row.id: row.before for row in rows if row.before}


@cache
def _runs_before() -> Select[str, str]:
    """Return the query for the run before each of ``runs``; to build it takes longer than it."""
    before = aliased(Run)
    newest = (
        select(before.id)
        .where(
            before.project_id == Run.project_id,
            before.report == Run.report,
            before.case_key == Run.case_key,
            of_branch(before) == of_branch(Run),
            tuple_(before.committed_at, before.id) < tuple_(Run.committed_at, Run.id),
            before.purpose.is_(None),
            or_(before.dirty.is_(None), Run.dirty.is_not(None)),
            *told_something(before),
        )
        .order_by(before.committed_at.desc(), before.id.desc())
        .limit(1)
        .correlate(Run)
        .scalar_subquery()
    )
    compared = func.coalesce(Run.again_of, newest).label("before")
    return select(Run.id, compared).where(Run.id.in_(bindparam("runs", expanding=True)))


def told_something(run: type[Run]) -> tuple[ColumnElement[bool], ...]:
    """Say of *run* that it ended with something about code and data: it passed or failed."""
    return run.status == Status.FINISHED, run.verdict.in_(sorted(REUSABLE))


def first_metrics(run_ids: Sequence[str], most: int) -> Select[str]:
    """Return a query for the metrics that stand first: those that the newest run recorded,
    then what only the one before it did, and so on, each by its place there."""
    query = select(Metric.name).where(Metric.run_id.in_(run_ids)).group_by(Metric.name)
    query = query.order_by(func.max(Metric.run_id).desc(), func.min(Metric.position))
    return query.limit(most)


def changes_of(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[MetricChange, ...]]:
    """Return the metrics of each run with their change against the run before."""
    return changes_since(session, run_ids, previous_runs(session, run_ids))


def changes_since(
    session: Session,
    run_ids: Sequence[str],
    before: Mapping[str, str],
    names: Select[str] | None = None,
) -> dict[str, tuple[MetricChange, ...]]:
    """Return the metrics of each run, only *names* if given, with their change against the run
    that *before* has for it."""
    metrics = metrics_of(session, [*run_ids, *before.values()], names)
    return {
        run_id: _changes(
            metrics.get(run_id, []),
            metrics.get(before[run_id], []) if run_id in before else None,
        )
        for run_id in run_ids
    }


def _changes(
    now: Sequence[MetricValue], before: Sequence[MetricValue] | None
) -> tuple[MetricChange, ...]:
    old: Mapping[str, MetricValue] = {metric.name: metric for metric in before or ()}
    return tuple(
        MetricChange(
            name=metric.name,
            value=metric.value,
            unit=metric.unit,
            better=metric.better,
            previous=old[metric.name].value if metric.name in old else None,
            compared=metric.name in old,
            first=before is None,
        )
        for metric in now
    )
