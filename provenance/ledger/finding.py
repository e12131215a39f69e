"""Finding a run by its id, and what is said where there is none."""

from datetime import timedelta

from sqlalchemy.orm import Session

from provenance.errors import GoneError, NotFoundError
from provenance.ledger.keeping_tables import BIN_DAYS, BinnedRun
from provenance.ledger.tables import Run
from provenance.nearest import shown


class UnknownRunError(NotFoundError):
    """Raised when no run has the identifier that was given."""

    code = "unknown_run"


class DeletedRunError(GoneError):
    """Raised when somebody asks for a run that lies in the bin."""

    code = "deleted_run"

    def __init__(self, message: str, hint: str, deletion: str) -> None:
        """Say so of a run that went with *deletion*, which can be undone."""
        super().__init__(message, hint)
        self.deletion = deletion


def find_run(session: Session, run_id: str) -> Run:
    """Return the run *run_id*; raise UnknownRunError, or DeletedRunError."""
    run = session.get(Run, run_id)
    if run is None:
        raise no_run(session, run_id)
    return run


def no_run(session: Session, run_id: str) -> NotFoundError:
    """Return what is to be raised where there is no such run: perhaps it was deleted."""
    found = session.get(BinnedRun, run_id)
    if found is None:
        return UnknownRunError(f"There is no run {shown(run_id)}.", "The archive lists all runs.")
    until = found.at + timedelta(days=BIN_DAYS)
    return DeletedRunError(
        f"Run {run_id} was deleted by {found.actor} on {found.at:%Y-%m-%d}.",
        f"Until {until:%Y-%m-%d} it can be brought back from the bin, or with "
        f"`provenote restore {found.deletion}`.",
        found.deletion,
    )
