"""Cancelling runs."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.claims import close_evaluation_if_done
from provenance.ledger.columns import utc_now
from provenance.ledger.reproductions import CALLED_OFF, answer_for_want_of_one
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Run


class UnknownRunError(NotFoundError):
    """Raised when no run has the identifier that was given."""

    code = "unknown_run"


def find_run(session: Session, run_id: str) -> Run:
    """Return the run *run_id*; raise UnknownRunError."""
    run = session.get(Run, run_id)
    if run is None:
        raise UnknownRunError(f"There is no run {run_id!r}.", "The archive lists all runs.")
    return run


def _waits_for(run: Run) -> str:
    """Return what did not answer, as the end of a sentence, where a queued run waits for that."""
    said = str((run.error or {}).get("message") or "").rstrip(".")
    return f"{said[:1].lower()}{said[1:]}"


def cancel_run(session: Session, run_id: str) -> Run:
    """Cancel a run and return it: a queued one ends at once, a running one is told to stop.

    The worker of a running one learns of it with its next heartbeat. A run that has ended
    stays as it is. Raises UnknownRunError.
    """
    find_run(session, run_id)
    # Locked, so that a worker cannot claim the run between our look and our write.
    run = session.scalars(
        select(Run)
        .where(Run.id == run_id)
        .with_for_update(of=Run)
        .execution_options(populate_existing=True)
    ).one()
    if run.status == Status.RUNNING:
        run.cancel_requested = True
    elif run.status == Status.QUEUED:
        run.cancel_requested = True
        run.status = Status.FINISHED
        run.verdict = Verdict.CANCELLED
        run.finished_at = utc_now()
        session.flush()
        answer_for_want_of_one(session, run, _waits_for(run) or CALLED_OFF)
        close_evaluation_if_done(session, run.evaluation_id)
    session.flush()
    return run
