"""The buttons of a run's page that ask about it: make it again, and "what if"."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from app.current import actor, doorbell, installation
from app.intake.again import CannotBeginError, Swap, accept_reproduction, accept_whatif
from app.intake.request import Requester
from app.run_object import whole_run
from pipeline.reproduction.answer import TOLERANCE
from provenance.datasets.instants import read_instant
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Run

blueprint = Blueprint("about", __name__)


@blueprint.post("/runs/<run_id>/reproduce")
def reproduce(run_id: str) -> Response:
    """Make the run again; go to the run that does it, or back where nobody can."""
    try:
        again = accept_reproduction(
            installation(), _run(run_id), TOLERANCE, _requester(), doorbell()
        )
    except CannotBeginError:
        return redirect(f"/runs/{run_id}#reproductions", 303)  # the page says why
    return redirect(f"/runs/{again.id}", 303)


@blueprint.post("/runs/<run_id>/whatif")
def whatif(run_id: str) -> Response:
    """Run with another commit, or with the data of another day; go to the new run."""
    code, as_of = (request.form.get(name, "").strip() for name in ("code", "as_of"))
    moment = read_instant(as_of, "Data as of") if as_of else None
    swap = Swap(code=code or None, as_of=moment)
    made = accept_whatif(installation(), _run(run_id), swap, _requester(), doorbell())
    return redirect(f"/runs/{made.id}", 303)


def _run(run_id: str) -> Run:
    with installation().ledger.reading() as session:
        return whole_run(session, run_id)


def _requester() -> Requester:
    return Requester(Trigger.FORM, actor())
