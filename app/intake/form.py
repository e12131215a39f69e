"""The form by which people run a report, and the buttons that cancel or repeat a run."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.cancelling import cancel_all
from app.current import actor, doorbell, installation
from app.errors import http_status
from app.intake.fields import make_fields, read_fields
from app.intake.offer import Offer, find_project, read_offer, today
from app.intake.request import Requester, RunRequest, accept_again, accept_run
from app.run_object import whole_run
from pipeline.asked import DataWanted
from pipeline.parameters import ParameterError, to_text
from pipeline.repository.git import InvalidRevisionError
from pipeline.repository.mirror import UnknownRevisionError
from provenance.datasets.instants import read_instant
from provenance.errors import ProvenoteError
from provenance.ledger.cancel import cancel_run
from provenance.ledger.states import Trigger

_TAKEN = frozenset({"as_of", "case", "commit", "force"})
"""Words of the query that mean something else than the parameter of that name."""

blueprint = Blueprint("intake", __name__)


@dataclass(frozen=True)
class Entered:
    """What stands in a form: prefilled, or sent and to be shown again."""

    commit: str
    values: Mapping[str, object]
    force: bool = False
    as_of: str = ""
    error: ProvenoteError | None = None
    problems: Mapping[str, list[str]] = field(default_factory=dict)


@blueprint.get("/projects/<project>/reports/<report>/new")
def new_run(project: str, report: str) -> str:
    """Show the form, prefilled from a case (``?case=``) and from the query."""
    commit = request.args.get("commit", "")
    offer = _offer(project, report, commit)
    values = _case_values(offer) | _query_values(offer)
    as_of = request.args.get("as_of", "")
    return _page(offer, Entered(commit, values, "force" in request.args, as_of))


@blueprint.post("/projects/<project>/reports/<report>/new")
def create_run(project: str, report: str) -> Response | tuple[str, int]:
    """Ask for the run and go to its page; with mistakes, show the form again."""
    commit = request.form.get("commit", "").strip()
    force = "force" in request.form
    offer = _offer_to_show(project, report, commit)
    values = read_fields(offer.schema, request.form)
    as_of = request.form.get("as_of", "").strip()
    try:
        data = DataWanted(as_of=read_instant(as_of, "Data as of") if as_of else None)
        wanted = RunRequest(
            project, report, values, revision=commit or None, force=force, data=data
        )
        run = accept_run(installation(), wanted, _requester(), doorbell())
    except ProvenoteError as error:
        # The commit may be newer than the copy that the first offer was read from.
        offer = _offer_to_show(project, report, commit)
        entered = Entered(commit, values, force, as_of, error, _problems(error))
        return _page(offer, entered), http_status(error)
    return redirect(f"/runs/{run.id}", 303)


@blueprint.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> Response:
    """Cancel a run and go back to the page that the button is on."""
    with installation().ledger.writing() as session:
        run = cancel_run(session, run_id)
    back = request.form.get("back")
    known = ("/", f"/evaluations/{run.evaluation_id}")
    return redirect(back if back in known else f"/runs/{run_id}", 303)


@blueprint.post("/evaluations/<evaluation_id>/cancel")
def cancel_evaluation(evaluation_id: str) -> Response:
    """Cancel all runs of an evaluation and go back to its page."""
    cancel_all(installation().ledger, evaluation_id)
    return redirect(f"/evaluations/{evaluation_id}", 303)


@blueprint.post("/runs/<run_id>/rerun")
def rerun(run_id: str) -> Response:
    """Run the same report with the same parameters at the same commit; go to the new run."""
    with installation().ledger.reading() as session:
        old = whole_run(session, run_id)
    new = accept_again(installation(), old, "force" in request.form, _requester(), doorbell())
    return redirect(f"/runs/{new.id}", 303)


def _requester() -> Requester:
    return Requester(Trigger.FORM, actor())


def _offer(project: str, report: str, commit: str) -> Offer:
    found = find_project(installation(), project)
    return read_offer(installation(), found, report, commit or None, fresh=False)


def _offer_to_show(project: str, report: str, commit: str) -> Offer:
    """Return the offer of *commit*, or the default branch's where that commit is unusable."""
    try:
        return _offer(project, report, commit)
    except ProvenoteError:
        return _offer(project, report, "")


def _case_values(offer: Offer) -> dict[str, object]:
    number = request.args.get("case", type=int)
    if number is None or not 0 <= number < len(offer.spec.cases):
        return {}
    return dict(offer.spec.cases[number])


def _query_values(offer: Offer) -> dict[str, object]:
    """Take ``param.date=`` from the query; also ``date=``, where that is a parameter."""
    names = set(offer.schema.names) - _TAKEN
    short = {name: text for name, text in request.args.items() if name in names}
    return short | read_fields(offer.schema, request.args)


def _problems(error: ProvenoteError) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    if isinstance(error, ParameterError):
        for problem in error.problems:
            # Beside its field, a message needs no name.
            found[problem.name].append(problem.message.removeprefix(f"{problem.name}: "))
    return found


def _page(offer: Offer, entered: Entered) -> str:
    error, beside = entered.error, (UnknownRevisionError, InvalidRevisionError, ParameterError)
    return render_template(
        "intake/form.html",
        offer=offer,
        fields=make_fields(offer.schema, entered.values, entered.problems, today().date()),
        presets=_presets(offer, entered.commit),
        commit=entered.commit,
        commit_error=error if isinstance(error, beside[:2]) else None,
        error=None if isinstance(error, beside) else error,
        failed=error is not None,
        force=entered.force,
        as_of=entered.as_of,
    )


def _presets(offer: Offer, commit: str) -> list[dict[str, Any]]:
    return [
        {
            "label": ", ".join(f"{name} {to_text(value)}" for name, value in case.items()),
            "address": url_for(
                "intake.new_run",
                project=offer.project.name,
                report=offer.report,
                case=number,
                commit=commit or None,
            ),
            "current": request.args.get("case") == str(number),
        }
        for number, case in enumerate(offer.spec.cases)
    ]
