"""Making runs again, and asking "what if"."""

from typing import Any

from flask import Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.api.v1.entrance import invalid, make_blueprint
from app.api.v1.models import RunObject, RunPath, WaitQuery
from app.api.v1.runs import accepted, requester
from app.current import doorbell, installation
from app.intake.again import Swap, accept_reproduction, accept_whatif
from app.intake.payload import read_json_object
from app.reproduced import reproductions
from app.run_object import whole_run
from pipeline.reproduction.answer import TOLERANCE
from provenance.datasets.instants import read_instant
from provenance.ledger.tables import Run

blueprint = make_blueprint("api_again")
Json = dict[str, Any]


class ReproduceBody(BaseModel):
    """How near numbers have to be."""

    model_config = ConfigDict(extra="forbid")

    tolerance: float = Field(
        TOLERANCE, ge=0, lt=1, description="The largest relative difference that counts as near."
    )


class WhatIfBody(BaseModel):
    """What is to be other than it was: exactly one of these."""

    model_config = ConfigDict(extra="forbid")

    code: str | None = Field(None, description="A branch, tag or commit.")
    data: dict[str, str] = Field(
        default_factory=dict,
        description="Batches, by id or number, of `dataset/partition` or `model:name`.",
    )
    as_of: str | None = Field(
        None, description="A date or instant: the data that was current then."
    )
    params: Json = Field(default_factory=dict, description="Parameters that get other values.")


class ReproductionObject(BaseModel):
    """One attempt to make a run again."""

    id: str
    run: str
    again: str | None
    answer: str
    sentence: str
    details: Json
    actor: str
    at: str


class ReproductionList(BaseModel):
    """All attempts to make a run again, newest first."""

    badge: str
    under_way: list[str]
    items: list[ReproductionObject]


_OPTIONAL_BODY = {
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": ReproduceBody.model_json_schema()}},
    }
}


@blueprint.post(
    "/runs/<string:run_id>/reproduce",
    responses={200: RunObject, 202: RunObject},
    openapi_extensions=_OPTIONAL_BODY,
)
def reproduce(path: RunPath, query: WaitQuery) -> tuple[Response, int]:
    """Make a run again, and compare.

    Answers 202 with the run that does it, or 409 where it is known beforehand that nobody can.
    """
    wanted = _body()
    run = _run(path)
    again = accept_reproduction(installation(), run, wanted.tolerance, requester(), doorbell())
    return accepted(again.id, query.wait)


@blueprint.get("/runs/<string:run_id>/reproductions", responses={200: ReproductionList})
def list_reproductions(path: RunPath) -> Response:
    """List what came of the attempts to make a run again, newest first."""
    run = _run(path)
    with installation().ledger.reading() as session:
        return jsonify(reproductions(session, run.id).as_json())


@blueprint.post("/runs/<string:run_id>/whatif", responses={200: RunObject, 202: RunObject})
def whatif(path: RunPath, query: WaitQuery, body: WhatIfBody) -> tuple[Response, int]:
    """Run with one thing swapped; `/explain?a=…&b=…` then says what moved."""
    swap = Swap(
        code=body.code,
        data=body.data,
        as_of=read_instant(body.as_of, "as_of") if body.as_of else None,
        params=body.params,
    )
    made = accept_whatif(installation(), _run(path), swap, requester(), doorbell())
    return accepted(made.id, query.wait)


def _run(path: RunPath) -> Run:
    with installation().ledger.reading() as session:
        return whole_run(session, path.run_id)


def _body() -> ReproduceBody:
    """Return the body, which may be left out; the library takes none that may."""
    body = request.get_data()
    try:
        return ReproduceBody.model_validate(read_json_object(body) if body else {})
    except ValidationError as error:
        abort(invalid(error))
