"""How the metrics of a report moved from commit to commit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from provenance.ledger.among import among
from provenance.ledger.queries.cases import CaseNames
from provenance.ledger.queries.history import Filter, Shape
from provenance.ledger.queries.metrics import MetricValue, metrics_of, told_something
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Commit, Metric, Run

MOST_TRENDS = 6
"""Metrics that are drawn together; of the others only the names are told."""


@dataclass(frozen=True)
class Reach:
    """How far back trends go."""

    commits: int
    runs: int


SOME = Reach(30, 400)
LONG = Reach(500, 2_500)
"""Of a single metric."""


@dataclass(frozen=True)
class TrendCommit:
    """A place on the axis."""

    sha: str
    subject: str


@dataclass(frozen=True)
class Line:
    """One case, over all places of the axis."""

    case: str
    runs: list[str | None]
    missed: list[int]
    """Places of runs that have not passed."""


@dataclass(frozen=True)
class Trend:
    """One metric."""

    name: str
    unit: str | None
    better: str | None
    values: tuple[list[float | None], ...]
    """For each line of `Trends.lines` a value at each place; null where there is none."""


@dataclass(frozen=True)
class Trends:
    """Metrics of a report over the same axis of commits, oldest first."""

    commits: tuple[TrendCommit, ...] = ()
    lines: tuple[Line, ...] = ()
    metrics: tuple[Trend, ...] = ()
    others: tuple[str, ...] = ()
    """Metrics that were recorded as well, but are not among these."""


def report_trends(
    session: Session, wanted: Filter, names: CaseNames, metric: str | None = None
) -> Trends:
    """Return how metrics moved: the values of the newest run of each case at each commit.

    They are the first six that the newest runs recorded, over 30 commits, as far as 400 runs
    reach; or a single *metric*, over 500 commits and 2,500 runs.
    """
    reach = LONG if metric else SOME
    runs = _runs(session, wanted, reach)
    commits = _axis(runs, reach.commits)
    shown = [run for run in runs if run.commit_sha in commits]
    known = _known(session, shown)
    drawn = [metric] if metric else [*known][:MOST_TRENDS]
    labels = {key: names(wanted.project_id, wanted.report, key) for key in _cases(shown)}
    cases = sorted(labels, key=lambda key: labels[key])
    lines = tuple(_line(labels[case], case, shown, commits) for case in cases)
    found = _values(session, [run.id for run in shown], drawn)
    metrics = (
        _trend(known.get(name) or _recorded(session, name, found[name]), lines, found[name])
        for name in drawn
        if name in found
    )
    return Trends(
        tuple(TrendCommit(sha, subject or "") for sha, subject in commits.items()),
        lines,
        tuple(trend for trend in metrics if _says_something(trend)),
        tuple(name for name in known if name not in drawn),
    )


def _says_something(trend: Trend) -> bool:
    return any(value is not None for line in trend.values for value in line)


def _runs(session: Session, wanted: Filter, reach: Reach) -> list[Row[Any]]:
    """Return the newest run of each case at the newest commits, newest commits first."""
    narrowed = {**wanted.values, "commits": reach.commits, "runs": reach.runs}
    at = session.scalars(_instants(wanted.shape), narrowed).all()
    if not at:
        return []
    found = [*session.execute(_newest(wanted.shape), {**narrowed, "since": at[-1]})]
    if len(found) < reach.runs:
        return found
    # The oldest commit may be there in part; a whole one of very many cases is shown as it is.
    whole = [run for run in found if run.commit_sha != found[-1].commit_sha]
    return whole or found


@cache
def _newest(shape: Shape) -> Select[Any]:
    """Return the query for the newest run of each case at each commit ``since`` an instant."""
    columns: list[Any] = [Run.id, Run.commit_sha, Run.case_key, Run.verdict, Run.committed_at]
    beside = (Run.commit_sha, Run.case_key)
    place = func.row_number().over(partition_by=beside, order_by=Run.id.desc()).label("place")
    each = _that_told(shape, select(*columns, Run.project_id, place))
    each = each.where(Run.committed_at >= bindparam("since"))
    found = each.subquery("each").c
    commit = and_(Commit.project_id == found.project_id, Commit.sha == found.commit_sha)
    shown = [found[column.name] for column in columns]
    query = select(*shown, Commit.subject).outerjoin(Commit, commit).where(found.place == 1)
    return query.order_by(found.committed_at.desc(), found.id.desc()).limit(bindparam("runs"))


def _that_told(shape: Shape, query: Select[Any]) -> Select[Any]:
    """Narrow *query* to runs of the report that said something of a commit."""
    return shape.narrow(query).where(*told_something(Run), Run.dirty.is_(None))


@cache
def _instants(shape: Shape) -> Select[tuple[datetime]]:
    """Return the query for when the newest commits were made: one look at an index each."""
    newest = func.max(Run.committed_at)
    found = _that_told(shape, select(newest.label("at"))).cte("found", recursive=True)
    before = _that_told(shape, select(newest)).where(Run.committed_at < found.c.at)
    earlier = select(before.correlate(found).scalar_subquery()).where(found.c.at.is_not(None))
    found = found.union_all(earlier)
    told = select(found.c.at).where(found.c.at.is_not(None))
    return told.limit(bindparam("commits"))


def _axis(runs: Sequence[Row[Any]], most: int) -> dict[str, str | None]:
    """Return the commits by their own time, those of one second by when they were first run."""
    first = {run.commit_sha: run for run in runs}
    ordered = sorted(first.values(), key=lambda run: (run.committed_at, run.id))
    return {run.commit_sha: run.subject for run in ordered[-most:]}


def _known(session: Session, runs: Sequence[Row[Any]]) -> dict[str, MetricValue]:
    """Return by name, in their order, the metrics that the newest run of each case recorded."""
    newest = {run.case_key: run.id for run in reversed(runs)}
    found = metrics_of(session, newest.values())
    known: dict[str, MetricValue] = {}
    for run in sorted(found, reverse=True):
        for metric in found[run]:
            known.setdefault(metric.name, metric)
    return known


def _values(
    session: Session, run_ids: Sequence[str], names: Sequence[str]
) -> Mapping[str, Mapping[str, float | None]]:
    """Return, by its name, the values of each metric by run."""
    query = select(Metric.name, Metric.run_id, Metric.value)
    query = query.where(among(session, Metric.run_id, run_ids), Metric.name.in_(names))
    found: dict[str, dict[str, float | None]] = defaultdict(dict)
    for name, run_id, value in session.execute(query):
        found[name][run_id] = value
    return found


def _recorded(session: Session, name: str, values: Mapping[str, float | None]) -> MetricValue:
    """Return a metric as the newest of the runs recorded it that have a value of it."""
    newest = max(values)
    return metrics_of(session, [newest], [name])[newest][0]


def _cases(runs: Sequence[Row[Any]]) -> list[str]:
    return list(dict.fromkeys(run.case_key for run in runs))


def _line(label: str, case: str, runs: Sequence[Row[Any]], commits: Iterable[str]) -> Line:
    at = {run.commit_sha: run for run in runs if run.case_key == case}
    along = [at.get(sha) for sha in commits]
    missed = [place for place, run in enumerate(along) if run and run.verdict != Verdict.PASSED]
    return Line(label, [run.id if run else None for run in along], missed)


def _trend(metric: MetricValue, lines: Sequence[Line], values: Mapping[str, float | None]) -> Trend:
    along = tuple([values.get(run) if run else None for run in line.runs] for line in lines)
    return Trend(metric.name, metric.unit, metric.better, along)
