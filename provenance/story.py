"""The story of a run: what was asked for, and the records of all jobs that it stands on.

What exports and explanations are told from, so that they read the ledger in one place only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from provenance.addresses import without_userinfo
from provenance.errors import NotFoundError
from provenance.ledger.finding import no_run
from provenance.ledger.tables import Check, Commit, Metric, Run, RunJob
from provenance.record import Record, read_record
from provenance.store import Store

REPORT = "report"
"""The name that the report itself has among the jobs of a run."""


class NoStoryError(NotFoundError):
    """Raised when a run has no record at all, so that there is nothing to tell of it."""

    code = "no_record"


class LostRecordError(NotFoundError):
    """Raised when records that a run stands on are no longer in the store."""

    code = "lost_record"


@dataclass(frozen=True)
class RunFacts:
    """What the ledger says of a run."""

    id: str
    evaluation_id: str
    project: str
    url: str
    """The repository, without the name and password that fetching it may need."""
    report: str
    status: str
    verdict: str | None
    commit: str
    branch: str | None
    dirty: str | None
    """Hash of the uncommitted changes, for a run of a working tree."""
    subject: str | None
    """First line of the commit's message; null where the commit is not known."""
    author: str | None
    params: Mapping[str, Any]
    origins: Mapping[str, Any]
    trigger: str
    actor: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    key: str | None
    record_id: str | None
    """The report's record; null where the run came to no report."""
    reused: bool
    reused_from: str | None
    again_of: str | None
    purpose: str | None
    error: Mapping[str, Any] | None
    log: str | None
    html: str | None
    """The page that the run shows: not its record's where prose was edited since."""
    notebook: str | None
    """The notebook that this page was made from."""


@dataclass(frozen=True)
class JobFacts:
    """What a run did about one job, with the record that it stands on."""

    name: str
    key: str
    status: str
    """``executed`` or ``reused``."""
    reason: str | None
    sentence: str
    seconds: float
    record_id: str | None
    record: Record | None
    """Null where it is no longer in the store; `load_story` allows that only if asked to."""


@dataclass(frozen=True)
class MetricFacts:
    """A number that the run recorded."""

    name: str
    value: float | None
    unit: str | None
    better: str | None


@dataclass(frozen=True)
class Story:
    """A run with everything that it stands on."""

    run: RunFacts
    jobs: tuple[JobFacts, ...]
    """In the order in which they were made; the report, if there is one, is the last."""
    metrics: tuple[MetricFacts, ...]
    checks: tuple[tuple[bool, str], ...]

    @property
    def id(self) -> str:
        """The run's id."""
        return self.run.id

    @cached_property
    def by_name(self) -> dict[str, JobFacts]:
        """The jobs by name, in their order."""
        return {job.name: job for job in self.jobs}

    @property
    def report(self) -> Record | None:
        """The report's record; None where the run came to no report."""
        found = self.by_name.get(REPORT)
        return found.record if found else None

    @cached_property
    def stages(self) -> dict[str, Record]:
        """The records of the stages by name, in their order, without the report."""
        records = {job.name: job.record for job in self.jobs if job.name != REPORT}
        return {name: record for name, record in records.items() if record is not None}


def load_story(session: Session, store: Store, run_id: str, *, whole: bool = True) -> Story:
    """Return the story of a run.

    Raises UnknownRunError; and where it has to be *whole* NoStoryError for a run that made
    nothing, LostRecordError where a record is no longer in the store. A story that need not
    be whole has None for what is not there.
    """
    run = session.get(Run, run_id, options=_EVERYTHING, populate_existing=True)
    if run is None:
        raise no_run(session, run_id)
    known = session.get(Commit, (run.project_id, run.commit_sha))
    rows = _jobs_of(session, run)
    if whole and not rows:
        raise _nothing_to_tell(run)
    jobs = tuple(_job(store, row) for row in rows)
    if whole:
        _refuse_lost(run, jobs)
    return Story(
        run=_facts(run, known),
        jobs=jobs,
        metrics=tuple(MetricFacts(m.name, m.value, m.unit, m.better) for m in run.metrics),
        checks=tuple((check.ok, check.message) for check in run.checks),
    )


_EVERYTHING = (
    selectinload(Run.evaluation),  # joined, SQLite would go through all evaluations
    selectinload(Run.metrics).load_only(Metric.name, Metric.value, Metric.unit, Metric.better),
    selectinload(Run.checks).load_only(Check.ok, Check.message),
)
_AS_THEY_ARE = (
    "id",
    "evaluation_id",
    "report",
    "verdict",
    "branch",
    "dirty",
    "params",
    "origins",
    "created_at",
    "started_at",
    "finished_at",
    "seconds",
    "key",
    "reused",
    "reused_from",
    "again_of",
    "purpose",
    "error",
    "log",
    "html",
    "notebook",
)


def _jobs_of(session: Session, run: Run) -> list[RunJob]:
    query = select(RunJob).where(RunJob.run_id == run.id).order_by(RunJob.position)
    return list(session.scalars(query))


def _facts(run: Run, known: Commit | None) -> RunFacts:
    return RunFacts(
        **{name: getattr(run, name) for name in _AS_THEY_ARE},
        project=run.project.name,
        url=without_userinfo(run.project.url),
        status=str(run.status),
        commit=run.commit_sha,
        subject=known.subject if known else None,
        author=known.author if known else None,
        trigger=run.evaluation.trigger,
        actor=run.evaluation.actor,
        record_id=run.record,
    )


def _job(store: Store, row: RunJob) -> JobFacts:
    told = (row.stage, row.key, row.status, row.reason, row.sentence, row.seconds, row.record)
    return JobFacts(*told, record=read_record(store, row.record))


def _nothing_to_tell(run: Run) -> NoStoryError:
    if run.finished_at is None:
        return NoStoryError(
            f"Run {run.id} has no record yet: it is {run.status}.",
            "It gets one when its first stage or its report has been made.",
        )
    said = f": {run.error['message']}" if run.error and run.error.get("message") else "."
    return NoStoryError(
        f"Run {run.id} has no record: it ended as {run.verdict} before anything was made{said}",
        f"`provenote show {run.id}` shows how it ended.",
    )


def _refuse_lost(run: Run, jobs: tuple[JobFacts, ...]) -> None:
    lost = [f"{job.name} ({job.record_id})" for job in jobs if job.record is None]
    if lost:
        raise LostRecordError(
            f"Records of run {run.id} are no longer in the store: {', '.join(lost)}.",
            "Run it again with `--force`; the new run has records of its own.",
        )
