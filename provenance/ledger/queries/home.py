"""What the first page of the archive asks: what needs attention, what runs now."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from provenance.ledger.columns import utc_now
from provenance.ledger.ids import first_id
from provenance.ledger.queries.heads import OF_CASE, newest_of_cases
from provenance.ledger.queries.kernels import kernels_token
from provenance.ledger.queries.metrics import MetricChange, changes_of
from provenance.ledger.queries.movement import movement, token
from provenance.ledger.queries.progress import Progress, progress_of
from provenance.ledger.queries.reasons import why_not_passed
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.states import ENDED, Status, Verdict
from provenance.ledger.tables import CaseHead, Evaluation, Run

ATTENTION_DAYS = 30
LONGEST_WAIT_DAYS = 7
MOST_SHOWN = 20
MOST_UNDER_WAY = 60


@dataclass(frozen=True)
class Attention:
    """The latest run of a case that did not pass."""

    run: RunRow
    why: str | None
    """Message of its first failed check, or of its error."""
    metrics: tuple[MetricChange, ...]


@dataclass(frozen=True)
class UnderWay:
    """Runs that are queued or running."""

    runs: tuple[RunRow, ...]
    total: int
    progress: dict[str, Progress]
    """How far each of ``runs`` is, by its id."""


def needs_attention(session: Session) -> tuple[Attention, ...]:
    """Return the newest finished run of each report and case where it did not pass.

    Cases that have not been run for 30 days are left out: nobody evaluates them any more. So
    are runs of uncommitted changes, which say nothing of a commit.
    """
    since = utc_now() - timedelta(days=ATTENTION_DAYS)
    ended = [
        OF_CASE.dirty.is_(None),
        OF_CASE.status.in_(ENDED),
        or_(OF_CASE.verdict.is_(None), OF_CASE.verdict != Verdict.CANCELLED),
    ]
    # Asked for in the time in question: whatever has ended in it was, or waited for long.
    recent = CaseHead.run_id >= first_id("run", since - timedelta(days=LONGEST_WAIT_DAYS))
    query = select_rows().where(
        Run.id.in_(newest_of_cases(recent, fits=ended)),
        Run.finished_at >= since,
        or_(Run.verdict.is_(None), Run.verdict != Verdict.PASSED),
    )
    runs = run_rows(session, query.order_by(Run.id.desc()).limit(MOST_SHOWN))
    why, changes = why_not_passed(session, runs), changes_of(session, [run.id for run in runs])
    return tuple(Attention(run, why.get(run.id), changes[run.id]) for run in runs)


def under_way(session: Session) -> UnderWay:
    """Return the runs that are running and then those that wait, oldest first."""
    unfinished = Run.status.in_((Status.QUEUED, Status.RUNNING))
    order = (Run.status != Status.RUNNING, Run.id)
    query = select_rows().where(unfinished).order_by(*order).limit(MOST_UNDER_WAY)
    runs = run_rows(session, query)
    total = session.scalar(select(func.count()).select_from(Run).where(unfinished)) or 0
    return UnderWay(tuple(runs), total, progress_of(session, runs))


def home_token(session: Session) -> str:
    """Return a short text that changes whenever the first page has something new to show."""
    unfinished = (Status.QUEUED, Status.RUNNING)
    newest = select(func.max(Evaluation.id))
    waiting = select(func.count()).where(Evaluation.status.in_(unfinished))
    found = [session.scalar(newest), session.scalar(waiting.select_from(Evaluation))]
    return token([*found, kernels_token(session), movement(session, Run.status.in_(unfinished))])
