"""Cancelling a whole evaluation: what its page, the interface for programs and commands do."""

from provenance.ledger.cancel import call_off_evaluation, cancel_runs
from provenance.ledger.engine import Ledger


def cancel_all(ledger: Ledger, evaluation_id: str) -> None:
    """Cancel every run of an evaluation that has not ended; raise UnknownEvaluationError."""
    with ledger.writing() as session:
        call_off_evaluation(session, evaluation_id)
    with ledger.writing() as session:
        cancel_runs(session, evaluation_id)
