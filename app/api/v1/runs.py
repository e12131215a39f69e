"""Runs: asking for them, watching them, finding them."""

import re
import threading
import time
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from flask import Response, abort, jsonify, request
from pydantic import ValidationError
from sqlalchemy import select

from app.api.v1.entrance import invalid, make_blueprint, refuse
from app.api.v1.models import (
    ReportPath,
    RerunBody,
    RunBody,
    RunList,
    RunObject,
    RunPath,
    RunsQuery,
    WaitQuery,
)
from app.current import actor, doorbell, installation
from app.intake.payload import read_json_object
from app.intake.request import Requester, RunRequest, accept_again, accept_run
from app.run_object import WHOLE, run_object, whole_run
from pipeline.asked import DataWanted
from provenance.datasets.instants import read_instant
from provenance.errors import NotFoundError
from provenance.ledger.cancel import cancel_run
from provenance.ledger.ids import is_id
from provenance.ledger.queries.progress import progress_of
from provenance.ledger.queries.projects import project_named
from provenance.ledger.search import RunFilter, search_runs
from provenance.ledger.search_text import read_search
from provenance.ledger.states import ENDED, Purpose, Status, Trigger, Verdict
from provenance.ledger.tables import Run
from provenance.nearest import did_you_mean, listed

blueprint = make_blueprint("api_runs")
MOST_WAITERS = 4
_places = threading.BoundedSemaphore(MOST_WAITERS)
POLL_SECONDS = 0.1
QUICKEST_LOOK = 0.004
_SHARE = 0.02
"""By what part of the time that was waited an answer may come late."""
_PARAM = "param."
_COMMIT = re.compile(r"[0-9a-f]{4,64}", re.ASCII)
_OPTIONAL_BODY = {
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": RerunBody.model_json_schema()}},
    }
}
Word = TypeVar("Word", bound=StrEnum)


class NoRecordError(NotFoundError):
    """Raised when the record of a run is asked for that has none."""

    code = "no_record"


@blueprint.post(
    "/projects/<string:project>/reports/<string:report>/runs",
    responses={200: RunObject, 202: RunObject},
)
def create_run(path: ReportPath, query: WaitQuery, body: RunBody) -> tuple[Response, int]:
    """Run a report.

    Answers 202 at once; with `wait`, 200 and the finished run if it ends in that time.
    """
    run = accept_run(installation(), wanted_run(path, body), requester(), doorbell())
    return accepted(run.id, query.wait)


@blueprint.get("/runs", responses={200: RunList})
def list_runs(query: RunsQuery) -> Response:
    """List runs, newest first."""
    wanted = _filter(query)
    if query.cursor is not None and not is_id("run", query.cursor):
        refuse("cursor: not one that was given out.", "Use the `next` of the page before.")
    with installation().ledger.reading() as session:
        if query.project is not None:
            project_named(session, query.project)
        page = search_runs(session, wanted, query.limit, query.cursor, WHOLE)
        progress = progress_of(session, page.runs)
        base = installation().base_url
        items = [run_object(run, base, progress.get(run.id)) for run in page.runs]
    return jsonify({"items": items, "next": page.next})


@blueprint.get("/runs/<string:run_id>", responses={200: RunObject})
def show_run(path: RunPath) -> Response:
    """Show one run."""
    return jsonify(_object_of(path.run_id))


@blueprint.post("/runs/<string:run_id>/cancel", responses={200: RunObject, 202: RunObject})
def cancel(path: RunPath) -> tuple[Response, int]:
    """Cancel a run.

    Answers 200 where it has ended, 202 where its worker was told to stop.
    """
    with installation().ledger.writing() as session:
        cancel_run(session, path.run_id)
    found = _object_of(path.run_id)
    return jsonify(found), 200 if found["status"] in ENDED else 202


@blueprint.post(
    "/runs/<string:run_id>/rerun",
    responses={200: RunObject, 202: RunObject},
    openapi_extensions=_OPTIONAL_BODY,
)
def rerun(path: RunPath, query: WaitQuery) -> tuple[Response, int]:
    """Run the same report with the same parameters at the same commit again."""
    wanted = _rerun_body()
    with installation().ledger.reading() as session:
        old = whole_run(session, path.run_id)
    run = accept_again(installation(), old, wanted.force, requester(), doorbell())
    return accepted(run.id, query.wait)


@blueprint.get("/runs/<string:run_id>/provenance")
def show_provenance(path: RunPath) -> Response:
    """Show the record of a run: how it came to be."""
    with installation().ledger.reading() as session:
        run = whole_run(session, path.run_id)
    if run.record is None:
        raise NoRecordError(
            f"Run {run.id} has no record yet.", "It gets one when it has passed or failed."
        )
    return Response(installation().store.read(run.record), mimetype="application/json")


def wanted_run(path: ReportPath, body: RunBody) -> RunRequest:
    """Return what *body* asks for."""
    return RunRequest(
        path.project,
        path.report,
        body.params,
        revision=body.commit,
        force=body.force,
        data=DataWanted(as_of=read_instant(body.as_of, "as_of") if body.as_of else None),
    )


def requester() -> Requester:
    """Return who asks, and that it is through the interface."""
    return Requester(Trigger.API, actor())


def _rerun_body() -> RerunBody:
    """Return the body, which may be left out; the library takes none that may."""
    body = request.get_data()
    try:
        return RerunBody.model_validate(read_json_object(body) if body else {})
    except ValidationError as error:
        abort(invalid(error))


def _object_of(run_id: str) -> dict[str, Any]:
    with installation().ledger.reading() as session:
        run = whole_run(session, run_id)
        progress = progress_of(session, [run]).get(run_id)
        return run_object(run, installation().base_url, progress)


def accepted(run_id: str, seconds: float) -> tuple[Response, int]:
    """Answer with the run once it has ended, or as it is after *seconds*.

    Who waits holds a thread of the server: beyond a few, nobody else waits.
    """
    if seconds > 0 and _places.acquire(blocking=False):
        try:
            _wait_for_end(run_id, time.monotonic() + seconds)
        finally:
            _places.release()
    found = _object_of(run_id)
    response = jsonify(found)
    response.headers["Location"] = found["links"]["self"]
    return response, 200 if found["status"] in ENDED else 202


def _wait_for_end(run_id: str, deadline: float) -> None:
    """Return when the run has ended, or at the *deadline*; looks less often as time goes by."""
    began = time.monotonic()
    while time.monotonic() < deadline:
        with installation().ledger.reading() as session:
            if session.scalar(select(Run.status).where(Run.id == run_id)) in ENDED:
                return
        waited = time.monotonic() - began
        pause = min(max(QUICKEST_LOOK, waited * _SHARE), POLL_SECONDS)
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))


def _filter(query: RunsQuery) -> RunFilter:
    if query.commit is not None and not _COMMIT.fullmatch(query.commit):
        refuse(
            f"commit: found {query.commit[:80]!r}, expected 4 to 64 hexadecimal digits.",
            "Use branch= for the name of a branch.",
        )
    given = {
        "project": query.project,
        "report": query.report,
        "commit": query.commit,
        "branch": query.branch,
        "status": _word(Status, "status", query.status),
        "verdict": _word(Verdict, "verdict", query.verdict),
        "purpose": _word(Purpose, "purpose", query.purpose),
        "params": _params(query.model_extra or {}) or None,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(_typed(query.q), **changes)


def _typed(text: str | None) -> RunFilter:
    if text is None:
        return RunFilter()
    sought = read_search(text)
    if sought.problems:
        refuse(f"q: {sought.problems[0]}")
    return sought.wanted


def _word(words: type[Word], name: str, text: str | None) -> Word | None:
    if text is None:
        return None
    if text not in list(words):
        near = did_you_mean(text, words)
        refuse(f"{name}: found {text[:80]!r}, expected one of {listed(words)}.", near)
    return words(text)


def _params(extra: dict[str, Any]) -> dict[str, str]:
    for name in extra:
        if not name.startswith(_PARAM):
            known = [*RunsQuery.model_fields, "param.NAME"]
            refuse(f"{name[:80]!r} is no filter; there are {listed(known)}.")
        if not name.removeprefix(_PARAM).isidentifier():
            refuse(f"{name[:80]!r}: {name[len(_PARAM) :][:80]!r} cannot be a parameter.")
    return {name.removeprefix(_PARAM): str(text) for name, text in extra.items()}
