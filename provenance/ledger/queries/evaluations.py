"""Evaluations and the counts of their runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.queries.metrics import MetricChange, changes_of
from provenance.ledger.queries.movement import movement, token
from provenance.ledger.queries.progress import Progress, progress_of
from provenance.ledger.queries.reasons import why_not_passed
from provenance.ledger.queries.runs import PAGE, RunRow, page_of, run_rows, select_rows
from provenance.ledger.states import ABOUT_RUNS, ENDED, Status
from provenance.ledger.tables import Commit, Evaluation, Run, RunJob

MOST_RUNS = 500


@dataclass(frozen=True)
class Counts:
    """How the runs of an evaluation stand."""

    by_verdict: dict[str, int] = field(default_factory=dict)
    reused: int = 0
    executed: int = 0
    """Jobs that were executed for them; a run that came to nothing has none."""
    open: int = 0
    """Still queued or running."""

    @property
    def total(self) -> int:
        """All runs."""
        return self.open + sum(self.by_verdict.values())


@dataclass(frozen=True)
class EvaluationRow:
    """What a list says of one evaluation."""

    id: str
    project: str
    revision: str
    branch: str | None
    commit_sha: str | None
    subject: str | None
    author: str | None
    trigger: str
    actor: str
    status: Status
    verdict: str | None
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    cancel_requested: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED

    @property
    def seconds(self) -> float | None:
        """Seconds from start to end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class EvaluationPage:
    """One evaluation with its runs."""

    evaluation: EvaluationRow
    runs: tuple[RunRow, ...]
    metrics: dict[str, tuple[MetricChange, ...]]
    jobs: dict[str, tuple[int, int]]
    """Executed and reused jobs of each run."""
    progress: dict[str, Progress]
    """How far those are that have not ended."""
    why: dict[str, str]
    """Why those did not pass that say so."""


def latest_evaluations(
    session: Session, before: str | None = None
) -> tuple[tuple[EvaluationRow, ...], bool]:
    """Return a page of evaluations, newest first, older than the id *before*."""
    query = select(Evaluation).where(Evaluation.trigger.not_in(ABOUT_RUNS))
    query = query.order_by(Evaluation.id.desc()).limit(PAGE + 1)
    if before:
        query = query.where(Evaluation.id < before)
    found, older = page_of(session.scalars(query).all())
    return _rows(session, found), older


def evaluation_page(session: Session, evaluation_id: str) -> EvaluationPage:
    """Return the evaluation with its runs, or raise NotFoundError."""
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise NotFoundError(f"There is no evaluation {evaluation_id!r}.")
    query = select_rows().where(Run.evaluation_id == evaluation_id)
    runs = tuple(run_rows(session, query.order_by(Run.report, Run.id).limit(MOST_RUNS)))
    ids = [run.id for run in runs]
    return EvaluationPage(
        _rows(session, [evaluation])[0],
        runs,
        changes_of(session, ids),
        job_counts(session, ids),
        progress_of(session, runs),
        why_not_passed(session, runs),
    )


def evaluation_token(session: Session, evaluation_id: str) -> str:
    """Return a short text that changes whenever its page has something new to show."""
    columns = (Evaluation.status, Evaluation.cancel_requested, Evaluation.attempt)
    row = session.execute(select(*columns).where(Evaluation.id == evaluation_id)).first()
    queue = select(func.min(Run.id), func.count()).where(Run.status == Status.QUEUED)
    moved = movement(session, Run.evaluation_id == evaluation_id)
    return token([row and tuple(row), tuple(session.execute(queue).one()), moved])


def job_counts(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many jobs each run executed and how many it reused."""
    query = (
        select(RunJob.run_id, RunJob.status, func.count())
        .where(RunJob.run_id.in_(run_ids))
        .group_by(RunJob.run_id, RunJob.status)
    )
    found: dict[str, tuple[int, int]] = {}
    for run_id, status, number in session.execute(query):
        executed, reused = found.get(run_id, (0, 0))
        found[run_id] = (
            (executed + number, reused) if status == "executed" else (executed, reused + number)
        )
    return found


def _rows(session: Session, found: Sequence[Evaluation]) -> tuple[EvaluationRow, ...]:
    counts = _counts(session, [evaluation.id for evaluation in found])
    commits = _commits(session, [evaluation.id for evaluation in found])
    return tuple(
        _row(evaluation, commits.get(evaluation.id), counts.get(evaluation.id, Counts()))
        for evaluation in found
    )


def _row(evaluation: Evaluation, commit: Commit | None, counts: Counts) -> EvaluationRow:
    return EvaluationRow(
        id=evaluation.id,
        project=evaluation.project.name,
        revision=evaluation.revision,
        branch=evaluation.branch,
        commit_sha=evaluation.commit_sha,
        subject=commit.subject if commit else None,
        author=commit.author if commit else None,
        trigger=evaluation.trigger,
        actor=evaluation.actor,
        status=evaluation.status,
        verdict=evaluation.verdict,
        error=evaluation.error,
        created_at=evaluation.created_at,
        started_at=evaluation.started_at,
        finished_at=evaluation.finished_at,
        counts=counts,
        cancel_requested=evaluation.cancel_requested,
    )


def _commits(session: Session, evaluation_ids: Iterable[str]) -> dict[str, Commit]:
    same = and_(Commit.project_id == Evaluation.project_id, Commit.sha == Evaluation.commit_sha)
    query = select(Evaluation.id, Commit).join(Commit, same)
    found = session.execute(query.where(Evaluation.id.in_(list(evaluation_ids))))
    return {row[0]: row[1] for row in found}


def _counts(session: Session, evaluation_ids: Sequence[str]) -> dict[str, Counts]:
    query = (
        select(Run.evaluation_id, Run.status, Run.verdict, Run.reused, func.count())
        .where(Run.evaluation_id.in_(evaluation_ids))
        .group_by(Run.evaluation_id, Run.status, Run.verdict, Run.reused)
    )
    found: dict[str, Counts] = {}
    for evaluation_id, status, verdict, reused, number in session.execute(query):
        old = found.get(evaluation_id, Counts())
        found[evaluation_id] = _added(old, status, verdict, number, reused=reused)
    for evaluation_id, executed in _executed_jobs(session, evaluation_ids):
        found[evaluation_id] = replace(found[evaluation_id], executed=executed)
    return found


def _executed_jobs(session: Session, evaluation_ids: Sequence[str]) -> list[tuple[str, int]]:
    query = (
        select(Run.evaluation_id, func.count())
        .join(RunJob, RunJob.run_id == Run.id)
        .where(Run.evaluation_id.in_(evaluation_ids), RunJob.status == "executed")
        .group_by(Run.evaluation_id)
    )
    return [(evaluation_id, number) for evaluation_id, number in session.execute(query)]


def _added(
    old: Counts, status: Status, verdict: str | None, number: int, *, reused: bool
) -> Counts:
    if status not in ENDED:
        return replace(old, open=old.open + number)
    word = verdict or "error"
    return replace(
        old,
        by_verdict={**old.by_verdict, word: old.by_verdict.get(word, 0) + number},
        reused=old.reused + (number if reused else 0),
    )
