"""Metrics of runs and how they moved."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from provenance.ledger.states import REUSABLE, Status
from provenance.ledger.tables import Commit, Metric, Run

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


def metrics_of(session: Session, run_ids: Iterable[str]) -> dict[str, list[Metric]]:
    """Return the metrics of each run in the order they were recorded."""
    wanted = sorted(set(run_ids))
    found: dict[str, list[Metric]] = defaultdict(list)
    if wanted:
        query = select(Metric).where(Metric.run_id.in_(wanted)).order_by(Metric.position)
        for metric in session.scalars(query):
            found[metric.run_id].append(metric)
    return found


def previous_runs(session: Session, run_ids: Sequence[str]) -> dict[str, str]:
    """Return, for each run that has one, the run before it.

    That is the one before in the order of commits, and of runs at the same commit: of the
    same report and case on the same branch, and one that told something about code and data:
    it passed or failed. Commits that were pushed together may be evaluated in any order. A run
    about another one is compared with that.
    """
    if not run_ids:
        return {}
    before, then, now = aliased(Run), aliased(Commit), aliased(Commit)
    newest = (
        select(before.id)
        .join(then, and_(then.project_id == before.project_id, then.sha == before.commit_sha))
        .where(
            before.project_id == Run.project_id,
            before.report == Run.report,
            before.case_key == Run.case_key,
            or_(
                then.committed_at < now.committed_at,
                and_(then.committed_at == now.committed_at, before.id < Run.id),
            ),
            before.purpose.is_(None),
            before.status == Status.FINISHED,
            before.verdict.in_(sorted(REUSABLE)),
            before.branch.is_not_distinct_from(Run.branch),
        )
        .order_by(then.committed_at.desc(), before.id.desc())
        .limit(1)
        .correlate(Run, now)
        .scalar_subquery()
    )
    compared = func.coalesce(Run.again_of, newest).label("before")
    same = and_(now.project_id == Run.project_id, now.sha == Run.commit_sha)
    query = select(Run.id, compared).outerjoin(now, same).where(Run.id.in_(run_ids))
    return {row.id: row.before for row in session.execute(query) if row.before}


def changes_of(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[MetricChange, ...]]:
    """Return the metrics of each run with their change against the run before, in three queries."""
    before = previous_runs(session, run_ids)
    metrics = metrics_of(session, [*run_ids, *before.values()])
    return {
        run_id: _changes(
            metrics.get(run_id, []),
            metrics.get(before[run_id], []) if run_id in before else None,
        )
        for run_id in run_ids
    }


def _changes(now: Sequence[Metric], before: Sequence[Metric] | None) -> tuple[MetricChange, ...]:
    old: Mapping[str, Metric] = {metric.name: metric for metric in before or ()}
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
