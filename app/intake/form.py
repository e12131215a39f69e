"""The form by which people run a report, and the buttons that cancel or repeat a run."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, jsonify, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.cancelling import cancel_all
from app.current import actor, doorbell, installation, settings
from app.errors import http_status
from app.intake.entered import Entered, Mistakes, both, mistakes_of, read_entered
from app.intake.offer import Offer, find_project, offer_here, read_offer, today
from app.intake.page import form_page, runs_sentence
from app.intake.preview import preview
from app.intake.request import (
    Requester,
    accept_again,
    accept_runs,
    offer_for,
    wanted_cases,
)
from app.intake.sent import PREFIX, Sent
from app.run_object import whole_run
from pipeline.parameter_values import UnfitValueError, convert
from pipeline.repository.mirror import UnknownRevisionError
from provenance.errors import ProvenoteError
from provenance.ledger.cancel import cancel_run
from provenance.ledger.finding import find_run
from provenance.ledger.states import Trigger

_TAKEN = frozenset({"as_of", "case", "commit", "force", "run"})
"""Words of the query that mean something else than the parameter of that name."""

blueprint = Blueprint("intake", __name__)
_NEW = "/projects/<project>/reports/<report>/new"


@blueprint.get(_NEW)
def new_run(project: str, report: str) -> str:
    """Show the form, prefilled from a run (``?run=``), a case (``?case=``) and the query."""
    offer = _offer(project, report, request.args.get("commit", ""))
    entered = read_entered(offer.schema, _with_short_names(offer, request.args))
    values = {**_run_values(offer), **_case_values(offer), **entered.sent.values}
    return form_page(offer, replace(entered, sent=replace(entered.sent, values=values)))


@blueprint.post(_NEW)
def create_run(project: str, report: str) -> Response | tuple[str, int]:
    """Ask for the runs and go to their page; with mistakes, show the form again.

    With ``preview`` nothing is asked for: the form comes again with what would run.
    """
    commit = request.form.get("commit", "").strip()
    offer = _offer_to_show(project, report, commit)
    entered = read_entered(offer.schema, request.form)
    try:
        if "preview" in request.form:
            return _previewed(offer, entered), 200
        wanted = entered.request(offer, entered.data())
        runs = accept_runs(installation(), wanted, _requester(), doorbell())
    except ProvenoteError as error:
        # The commit may be newer than the copy that the first offer was read from.
        offer = _offer_to_show(project, report, commit)
        return form_page(offer, entered, mistakes_of(error, entered.sent)), http_status(error)
    if len(runs) == 1:
        return redirect(f"/runs/{runs[0].id}", 303)
    return redirect(f"/evaluations/{runs[0].evaluation_id}", 303)


@blueprint.post(f"{_NEW}/check")
def check_run(project: str, report: str) -> Response:
    """Tell what is wrong with the form as it stands, and how many runs it makes.

    Nobody waits for a repository: a commit that our copy does not have is looked for later.
    """
    offer, mistakes, told = _offer_checked(project, report, request.form.get("commit", "").strip())
    entered = read_entered(offer.schema, request.form)
    runs = ""
    try:
        entered.data()
    except ProvenoteError as error:
        mistakes = both(mistakes, mistakes_of(error, entered.sent))
    try:
        runs = runs_sentence(len(wanted_cases(offer, entered.request(offer))))
    except ProvenoteError as error:
        mistakes = both(mistakes, mistakes_of(error, entered.sent))
    return jsonify(_checked(offer, entered.sent, mistakes) | {"runs": runs, "commit": told})


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


def _offer_checked(project: str, report: str, commit: str) -> tuple[Offer, Mistakes, str]:
    """Return the offer of *commit* or else the default branch's, mistakes, and what it is."""
    found = find_project(installation(), project)
    mistakes, told = Mistakes(), ""
    try:
        offer = offer_here(installation(), found, report, commit or None)
        told = f"{offer.commit.sha[:8]} {offer.commit.subject}"
        return offer, mistakes, told if commit else ""
    except UnknownRevisionError:
        told = "Not known here yet: it is looked for in the repository when you run."
    except ProvenoteError as error:
        mistakes = Mistakes(commit=str(error))
    return offer_here(installation(), found, report, None), mistakes, told


def _checked(offer: Offer, sent: Sent, mistakes: Mistakes) -> dict[str, Any]:
    """Return what is told of each field, by its name in the page, and of the form."""
    fields = {f"field-{name}": " ".join(texts) for name, texts in mistakes.fields.items()}
    days = {
        f"field-{name}": _day(sent.values.get(name))
        for name, parameter in offer.schema.by_name.items()
        if parameter.type == "date"
    }
    beside = {"commit": mistakes.commit, "as_of": mistakes.as_of}
    error = str(mistakes.error) if mistakes.error else ""
    return {"problems": fields | beside, "days": days, "error": error}


def _day(entry: object) -> str:
    try:
        return str(convert("date", entry, today().date()))
    except UnfitValueError:
        return ""


def _previewed(offer: Offer, entered: Entered) -> str:
    """Return the form with what would run, at the commit that would be run now."""
    wanted = entered.request(offer, entered.data())
    offer = offer_for(installation(), wanted)
    cases = wanted_cases(offer, wanted)
    told = preview(settings(), offer, cases, wanted.data, wanted.force)
    return form_page(offer, entered, preview=told)


def _run_values(offer: Offer) -> dict[str, object]:
    """Return the values of the run that the query names, as far as the commit knows them."""
    run_id = request.args.get("run")
    if not run_id:
        return {}
    with installation().ledger.reading() as session:
        params = find_run(session, run_id).params
    return {name: value for name, value in params.items() if name in offer.schema.names}


def _case_values(offer: Offer) -> dict[str, object]:
    number = request.args.get("case", type=int)
    if number is None or not 0 <= number < len(offer.spec.cases):
        return {}
    return dict(offer.spec.cases[number])


def _with_short_names(offer: Offer, query: MultiDict[str, str]) -> MultiDict[str, str]:
    """Take ``param.date=`` from the query; also ``date=``, where that is a parameter."""
    names = set(offer.schema.names) - _TAKEN
    short = {PREFIX + name: text for name, text in query.items() if name in names}
    for name in short.keys() & query.keys():
        del short[name]
    return MultiDict([*short.items(), *query.items(multi=True)])
