"""Claiming work, holding it by a lease, and finishing it under a fence.

The same four steps serve evaluations and runs. Whoever holds a claim is named by owner and
attempt; every later write asks for both, so a worker that lost its lease writes nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from provenance.errors import ProvenoteError
from provenance.ledger.columns import utc_now
from provenance.ledger.reproductions import CALLED_OFF, answer_for_want_of_one
from provenance.ledger.states import ENDED, Status, Trigger, Verdict, worst
from provenance.ledger.tables import Evaluation, Run, RunEvent

MAX_ATTEMPTS = 3
_NOT_THEIRS = frozenset(
    {"repository_unreachable", "unavailable", "unknown_revision", "worker_lost", "provenote"}
)
"""What an evaluation can have failed of without its commit being wrong."""
POSTPONE_SECONDS = 30.0
LONGEST_PAUSE = 600.0
MAX_POSTPONED = 10
Work = type[Run | Evaluation]


class ClaimLostError(ProvenoteError):
    """Raised when work is written to by one who no longer holds it."""

    code = "claim_lost"


@dataclass(frozen=True)
class Claim:
    """The right to work on one row, until the lease ends."""

    table: Work
    id: str
    owner: str
    attempt: int


def claim(session: Session, table: Work, row_id: str, owner: str, lease: float) -> Claim | None:
    """Take a queued row for *owner* for *lease* seconds; None where it is not to be had."""
    now = utc_now()
    statement = (
        update(table)
        .where(table.id == row_id, table.status == Status.QUEUED)
        .values(
            status=Status.RUNNING,
            owner=owner,
            attempt=table.attempt + 1,
            lease_until=now + timedelta(seconds=lease),
            started_at=now,
        )
        .returning(table.attempt)
    )
    attempt = session.execute(statement).scalar_one_or_none()
    return None if attempt is None else Claim(table, row_id, owner, attempt)


def claim_next(session: Session, table: Work, owner: str, lease: float) -> Claim | None:
    """Take the oldest queued row that may be worked on now; None where there is none."""
    due = or_(table.run_after.is_(None), table.run_after <= utc_now())
    oldest = select(table.id).where(table.status == Status.QUEUED, due).order_by(table.id)
    row_id = session.scalar(oldest.limit(1).with_for_update(skip_locked=True))
    return None if row_id is None else claim(session, table, row_id, owner, lease)


def _fenced(session: Session, claim: Claim, values: dict[str, Any]) -> bool:
    statement = (
        update(claim.table)
        .where(
            claim.table.id == claim.id,
            claim.table.status == Status.RUNNING,
            claim.table.owner == claim.owner,
            claim.table.attempt == claim.attempt,
        )
        .values(**{"attempt": claim.attempt, **values})
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement.returning(claim.table.id)).first() is not None


def heartbeat(session: Session, claim: Claim, lease: float) -> bool:
    """Prolong the lease by *lease* seconds from now; False where the claim is lost."""
    return _fenced(session, claim, {"lease_until": utc_now() + timedelta(seconds=lease)})


def cancel_requested(session: Session, claim: Claim) -> bool:
    """Tell whether somebody asked to end this work."""
    query = select(claim.table.cancel_requested).where(claim.table.id == claim.id)
    return bool(session.execute(query).scalar_one_or_none())


def note(session: Session, claim: Claim, **values: Any) -> None:
    """Write progress into the claimed row; raise ClaimLostError where it is another's."""
    if not _fenced(session, claim, values):
        raise ClaimLostError(f"{claim.id} is no longer worked on by {claim.owner}.")


def finish(session: Session, claim: Claim, **values: Any) -> None:
    """End the claimed row with its results; raise ClaimLostError where it is another's."""
    note(
        session,
        claim,
        status=Status.FINISHED,
        finished_at=utc_now(),
        owner=None,
        lease_until=None,
        **values,
    )
    if claim.table is Run:
        clear_events(session, claim.id)


def postpone(session: Session, claim: Claim, error: dict[str, Any]) -> bool:
    """Put claimed work back into the queue because something it needs does not answer.

    The attempt does not count; the pauses grow from half a minute to ten, for more than an
    hour in all. False where that time is over, or for a run of a working tree, which nobody
    else could make: then the caller has to finish it.
    """
    row = cast("Run | Evaluation", session.get_one(claim.table, claim.id))
    if row.postponed >= MAX_POSTPONED or _is_local(row):
        return False
    pause = min(POSTPONE_SECONDS * 2**row.postponed, LONGEST_PAUSE)
    note(
        session,
        claim,
        error=error,
        run_after=utc_now() + timedelta(seconds=pause),
        postponed=row.postponed + 1,
        **_queued_again(claim),
    )
    _forget_progress(session, claim)
    return True


def release(session: Session, claim: Claim) -> None:
    """Give claimed work back to the queue by its own worker, which ends in good order.

    The attempt does not count. Where the claim is lost already, nothing is done.
    """
    if _fenced(session, claim, _queued_again(claim)):
        _forget_progress(session, claim)


def queue_again(session: Session, evaluation_id: str) -> bool:
    """Queue an evaluation once more whose preparation failed by no fault of its commit.

    Returns whether it was; any other is left as it is.
    """
    row = session.get_one(Evaluation, evaluation_id, with_for_update={"of": Evaluation})
    kind = (row.error or {}).get("kind")
    if row.status not in ENDED or row.prepared or kind not in _NOT_THEIRS:
        return False
    row.status, row.attempt, row.postponed = Status.QUEUED, 0, 0
    row.verdict = row.error = row.finished_at = row.rung_at = row.run_after = None
    return True


def _queued_again(claim: Claim) -> dict[str, Any]:
    return {
        "status": Status.QUEUED,
        "owner": None,
        "lease_until": None,
        "rung_at": None,
        "attempt": claim.attempt - 1,
    }


def give_back(session: Session, table: Work, row_id: str, owner: str | None = None) -> Status:
    """Return work whose worker was lost to the queue, or bury it after too many attempts.

    Only a row is touched that is running and whose lease is over or missing, or that is
    held by *owner*, who is known to be gone. A run of a working tree is buried at once: no
    other worker has its files. Returns the status that the row has afterwards.
    """
    locked = session.get_one(table, row_id, with_for_update={"of": table})
    row = cast("Run | Evaluation", locked)
    expired = row.lease_until is None or row.lease_until < utc_now()
    lost = expired or (owner is not None and row.owner == owner)
    if row.status != Status.RUNNING or not lost or _waits_for_runs(row):
        return row.status
    row.owner = row.lease_until = row.rung_at = None
    if row.cancel_requested:
        _end(session, row, Status.FINISHED, Verdict.CANCELLED, CALLED_OFF)
    elif row.attempt < MAX_ATTEMPTS and not _is_local(row):
        row.status = Status.QUEUED
        session.flush()
        _forget_progress(session, Claim(table, row_id, "", row.attempt))
    else:
        _bury(session, row)
    return row.status


def _forget_progress(session: Session, claim: Claim) -> None:
    """Let a run that goes back to the queue begin anew on its page too."""
    if claim.table is Run:
        fresh = {"cells_done": 0, "cells_total": None, "cell_at": None, "doing": None}
        session.execute(update(Run).where(Run.id == claim.id).values(**fresh))
        clear_events(session, claim.id)


def _waits_for_runs(row: Run | Evaluation) -> bool:
    """A prepared evaluation is running as long as its runs are: nobody holds it."""
    return isinstance(row, Evaluation) and row.prepared


def _is_local(row: Run | Evaluation) -> bool:
    return isinstance(row, Run) and row.evaluation.trigger == Trigger.CLI


def _bury(session: Session, row: Run | Evaluation) -> None:
    often = f" {row.attempt} times in a row" if row.attempt > 1 else ""
    row.error = {
        "kind": "worker_lost",
        "message": f"Its worker was lost{often}.",
        "hint": "Run it again; where a worker had it, its log may tell more.",
    }
    _end(session, row, Status.DEAD, Verdict.WORKER_LOST, f"its worker was lost{often}")


def _end(
    session: Session, row: Run | Evaluation, status: Status, verdict: Verdict, because: str
) -> None:
    row.status = status
    row.verdict = verdict
    row.finished_at = utc_now()
    if isinstance(row, Run):
        session.flush()
        clear_events(session, row.id)
        answer_for_want_of_one(session, row, because)
        close_evaluation_if_done(session, row.evaluation_id)


def expired(session: Session, table: Work) -> list[str]:
    """Return the ids of running rows whose lease is over or missing."""
    lost = or_(table.lease_until.is_(None), table.lease_until < utc_now())
    query = select(table.id).where(table.status == Status.RUNNING, lost)
    if table is Evaluation:
        query = query.where(Evaluation.prepared.is_(False))
    return list(session.scalars(query))


def owners(session: Session, table: Work, host: str) -> dict[str, str]:
    """Return who holds the running rows on *host*: the owners by the rows' ids."""
    query = select(table.id, table.owner).where(
        table.status == Status.RUNNING, table.owner.startswith(f"{host}/", autoescape=True)
    )
    return {row_id: owner for row_id, owner in session.execute(query) if owner}


def waiting(session: Session, table: Work, limit: int) -> list[str]:
    """Return the oldest queued rows whose bell seems to be lost.

    That is a row older than a second for which only its maker rang, or one for which the
    reconciler rang more than half a minute ago.
    """
    now = utc_now()
    never = and_(table.rung_at.is_(None), table.created_at < now - timedelta(seconds=1))
    long_ago = table.rung_at < now - timedelta(seconds=30)
    due = or_(table.run_after.is_(None), table.run_after <= now)
    query = select(table.id).where(table.status == Status.QUEUED, or_(never, long_ago), due)
    return list(session.scalars(query.order_by(table.id).limit(limit)))


def mark_rung(session: Session, table: Work, ids: list[str]) -> None:
    """Note that the reconciler rang the bell for these rows just now."""
    session.execute(update(table).where(table.id.in_(ids)).values(rung_at=utc_now()))


def close_evaluation_if_done(session: Session, evaluation_id: str) -> None:
    """End a prepared evaluation all of whose runs have ended; its verdict is their worst."""
    evaluation = session.get_one(Evaluation, evaluation_id, with_for_update={"of": Evaluation})
    rows = session.execute(
        select(Run.status, Run.verdict).where(Run.evaluation_id == evaluation_id)
    ).all()
    if not evaluation.prepared or any(status not in ENDED for status, _ in rows):
        return
    evaluation.status = Status.FINISHED
    evaluation.finished_at = utc_now()
    evaluation.verdict = worst(Verdict(verdict) for _, verdict in rows if verdict)


def clear_events(session: Session, run_id: str) -> None:
    """Drop the live messages of a run that is published or given back."""
    session.execute(delete(RunEvent).where(RunEvent.run_id == run_id))
