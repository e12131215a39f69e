"""How the metrics of a report moved from commit to commit."""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.ledger.queries.cases import CaseNames
from provenance.ledger.queries.history import Filter
from provenance.ledger.queries.metrics import metrics_of
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.states import REUSABLE, Status
from provenance.ledger.tables import Run

MOST_COMMITS = 100
MOST_POINTS = 600


@dataclass(frozen=True)
class Point:
    """The value of a metric at one commit."""

    at: int
    """Place of the commit in `Trends.commits`."""
    run: str
    verdict: str
    value: float | None


@dataclass(frozen=True)
class Series:
    """One metric of one case."""

    case: str
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True)
class Trend:
    """One metric, a series for each case."""

    name: str
    unit: str | None
    better: str | None
    series: tuple[Series, ...]


@dataclass(frozen=True)
class TrendCommit:
    """A place on the axis."""

    sha: str
    subject: str


@dataclass(frozen=True)
class Trends:
    """All metrics of a report over the same axis of commits, oldest first."""

    commits: tuple[TrendCommit, ...] = ()
    metrics: tuple[Trend, ...] = ()


def report_trends(session: Session, wanted: Filter, names: CaseNames) -> Trends:
    """Return the metrics of the newest run of each case at the newest 100 commits."""
    told_something = (
        Run.status == Status.FINISHED,
        Run.verdict.in_(sorted(REUSABLE)),
        Run.dirty.is_(None),
    )
    newest = wanted.narrow(select(func.max(Run.id))).where(*told_something)
    newest = newest.group_by(Run.commit_sha, Run.case_key)
    query = select_rows().where(Run.id.in_(newest))
    runs = run_rows(session, query.order_by(Run.id.desc()).limit(MOST_POINTS))
    return _trends(session, runs, names)


def _trends(session: Session, runs: list[RunRow], names: CaseNames) -> Trends:
    commits = _axis(runs)
    place = {commit.sha: index for index, commit in enumerate(commits)}
    metrics = metrics_of(session, [run.id for run in runs])
    series: dict[str, dict[str, Series]] = {}
    about: dict[str, tuple[str | None, str | None]] = {}
    shown = [run for run in runs if run.commit_sha in place]
    for run in sorted(shown, key=lambda run: place[run.commit_sha]):
        case = names(run.project_id, run.report, run.case_key)
        for metric in metrics.get(run.id, []):
            about[metric.name] = (metric.unit, metric.better)
            of_case = series.setdefault(metric.name, {}).setdefault(case, Series(case))
            of_case.points.append(
                Point(place[run.commit_sha], run.id, run.verdict or "", metric.value)
            )
    return Trends(
        commits,
        tuple(
            Trend(name, *about[name], tuple(cases[case] for case in sorted(cases)))
            for name, cases in series.items()
        ),
    )


def _axis(runs: list[RunRow]) -> tuple[TrendCommit, ...]:
    """Order commits by their own time, those of one second by when they were first run."""
    first: dict[str, RunRow] = {}
    for run in runs:
        first[run.commit_sha] = run
    ordered = sorted(first.values(), key=lambda run: (run.committed_at or run.created_at, run.id))
    newest = ordered[-MOST_COMMITS:]
    return tuple(TrendCommit(run.commit_sha, run.subject or "") for run in newest)
