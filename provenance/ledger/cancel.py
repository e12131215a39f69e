"""Cancelling runs, one by one or all of an evaluation."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.claims import close_evaluation_if_done
from provenance.ledger.columns import utc_now
from provenance.ledger.finding import find_run
from provenance.ledger.reproductions import CALLED_OFF, answer_for_want_of_one
from provenance.ledger.states import ENDED, Status, Verdict
from provenance.ledger.tables import Evaluation, Run


class UnknownEvaluationError(NotFoundError):
    """Raised when no evaluation has the identifier that was given."""

    code = "unknown_evaluation"


def _waits_for(run: Run) -> str:
    """Return what did not answer, as the end of a sentence, where a queued run waits for that."""
    said = str((run.error or {}).get("message") or "").rstrip(".")
    return f"{said[:1].lower()}{said[1:]}"


def cancel_run(session: Session, run_id: str) -> Run:
    """Cancel a run and return it: a queued one ends at once, a running one is told to stop.

    The worker of a running one looks for it several times a second. A run that has ended
    stays as it is. Raises UnknownRunError.
    """
    find_run(session, run_id)
    (run,) = _cancel(session, Run.id == run_id)
    return run


def cancel_runs(session: Session, evaluation_id: str) -> Sequence[Run]:
    """Cancel every run of an evaluation that has not ended, and return those."""
    return _cancel(session, Run.evaluation_id == evaluation_id, Run.status.not_in(ENDED))


def _cancel(session: Session, *which: ColumnElement[bool]) -> Sequence[Run]:
    # Locked, so that no worker can claim a run between our look and our write. Runs first and
    # their evaluation last: whoever publishes a run takes them in this order too.
    query = select(Run).where(*which).order_by(Run.id).with_for_update(of=Run)
    runs = session.scalars(query.execution_options(populate_existing=True)).all()
    for run in runs:
        if run.status == Status.RUNNING:
            run.cancel_requested = True
        elif run.status == Status.QUEUED:
            run.cancel_requested = True
            run.status = Status.FINISHED
            run.verdict = Verdict.CANCELLED
            run.finished_at = utc_now()
            session.flush()
            answer_for_want_of_one(session, run, _waits_for(run) or CALLED_OFF)
    session.flush()
    for evaluation_id in sorted({run.evaluation_id for run in runs if run.status in ENDED}):
        close_evaluation_if_done(session, evaluation_id)
    session.flush()
    return runs


def call_off_evaluation(session: Session, evaluation_id: str) -> Evaluation:
    """Ask for the end of an evaluation and return it.

    One that nobody prepares yet ends at once; of one that is being prepared its runs will be
    cancelled as soon as they are there. Of one that is prepared, `cancel_runs` ends the runs:
    in a transaction of its own, because who publishes a run waits for the evaluation's row.
    Raises UnknownEvaluationError.
    """
    row = session.get(Evaluation, evaluation_id, with_for_update={"of": Evaluation})
    if row is None:
        raise UnknownEvaluationError(
            f"There is no evaluation {evaluation_id[:80]!r}.", "The archive lists all evaluations."
        )
    if row.status in ENDED:
        return row
    row.cancel_requested = True
    if row.status == Status.QUEUED and not row.prepared:
        row.status, row.verdict, row.finished_at = Status.FINISHED, Verdict.CANCELLED, utc_now()
    session.flush()
    return row
