"""How the metrics of a report moved from commit to commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from provenance.ledger.queries.cases import CaseNames
from provenance.ledger.queries.history import Filter
from provenance.ledger.queries.metrics import MetricValue, metrics_of, told_something
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Commit, Run

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
    known = _names(session, shown)
    drawn = [metric] if metric else known[:MOST_TRENDS]
    labels = {key: names(wanted.project_id, wanted.report, key) for key in _cases(shown)}
    cases = sorted(labels, key=lambda key: labels[key])
    lines = tuple(_line(labels[case], case, shown, commits) for case in cases)
    found = metrics_of(session, [run.id for run in shown], drawn)
    metrics = tuple(_trend(name, lines, found) for name in drawn)
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
    at = _instants(session, wanted, reach.commits)
    if not at:
        return []
    newest = _that_told(wanted, select(func.max(Run.id))).where(Run.committed_at >= at[-1])
    newest = newest.group_by(Run.commit_sha, Run.case_key)
    commit = and_(Commit.project_id == Run.project_id, Commit.sha == Run.commit_sha)
    query = (
        select(
            *(Run.id, Run.commit_sha, Run.case_key, Run.verdict, Run.committed_at, Commit.subject)
        )
        .outerjoin(Commit, commit)
        .where(Run.id.in_(newest))
        .order_by(Run.committed_at.desc(), Run.id.desc())
    )
    found = [*session.execute(query.limit(reach.runs))]
    if len(found) < reach.runs:
        return found
    # The oldest commit may be there in part; a whole one of very many cases is shown as it is.
    whole = [run for run in found if run.commit_sha != found[-1].commit_sha]
    return whole or found


def _that_told(wanted: Filter, query: Select[Any]) -> Select[Any]:
    """Narrow *query* to runs of the report that said something of a commit."""
    return wanted.narrow(query).where(*told_something(Run), Run.dirty.is_(None))


def _instants(session: Session, wanted: Filter, most: int) -> Sequence[datetime]:
    """Return when the newest commits were made, newest first: one look at an index each."""
    newest = func.max(Run.committed_at)
    found = _that_told(wanted, select(newest.label("at"))).cte("found", recursive=True)
    before = _that_told(wanted, select(newest)).where(Run.committed_at < found.c.at)
    earlier = select(before.correlate(found).scalar_subquery()).where(found.c.at.is_not(None))
    found = found.union_all(earlier)
    return session.scalars(select(found.c.at).where(found.c.at.is_not(None)).limit(most)).all()


def _axis(runs: Sequence[Row[Any]], most: int) -> dict[str, str | None]:
    """Return the commits by their own time, those of one second by when they were first run."""
    first = {run.commit_sha: run for run in runs}
    ordered = sorted(first.values(), key=lambda run: (run.committed_at, run.id))
    return {run.commit_sha: run.subject for run in ordered[-most:]}


def _names(session: Session, runs: Sequence[Row[Any]]) -> list[str]:
    """Return the metrics that the newest run of each case recorded, in their order."""
    newest = {run.case_key: run.id for run in reversed(runs)}
    found = metrics_of(session, newest.values())
    return list(dict.fromkeys(one.name for metrics in found.values() for one in metrics))


def _cases(runs: Sequence[Row[Any]]) -> list[str]:
    return list(dict.fromkeys(run.case_key for run in runs))


def _line(label: str, case: str, runs: Sequence[Row[Any]], commits: Iterable[str]) -> Line:
    at = {run.commit_sha: run for run in runs if run.case_key == case}
    along = [at.get(sha) for sha in commits]
    missed = [place for place, run in enumerate(along) if run and run.verdict != Verdict.PASSED]
    return Line(label, [run.id if run else None for run in along], missed)


def _trend(name: str, lines: Sequence[Line], found: dict[str, list[MetricValue]]) -> Trend:
    of_run = {run: one for run, metrics in found.items() for one in metrics if one.name == name}
    about = next(iter(of_run.values()), None)
    values = tuple(
        [of_run[run].value if run in of_run else None for run in line.runs] for line in lines
    )
    return Trend(name, about and about.unit, about and about.better, values)
