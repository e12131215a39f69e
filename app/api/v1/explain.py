"""Why runs differ, and what stands on what."""

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.entrance import make_blueprint
from app.current import installation
from app.explained import explained, wanted_thing
from provenance.ledger.queries.used_by import used_by

blueprint = make_blueprint("api_explain")
Json = dict[str, Any]


class ExplainQuery(BaseModel):
    """Which runs to explain."""

    model_config = ConfigDict(extra="forbid")

    a: str = Field(description="The id of a run; of two, the one before.")
    b: str | None = Field(None, description="The run to compare it with; left out: a's own story.")


class ExplanationObject(BaseModel):
    """Why run b is not what run a is; without b, how a came to be, in `lines`."""

    a: str
    b: str | None
    sentence: str
    causes: list[Json]
    jobs: list[Json]
    results: Json | None
    notes: list[str]
    same_result: bool
    lines: list[Json]


class UsedByQuery(BaseModel):
    """The thing whose users are looked for: exactly one of the first five."""

    model_config = ConfigDict(extra="forbid")

    file: str | None = Field(None, description="The path of a file in its repository.")
    artifact: str | None = Field(None, description="The first digits of a digest, at least eight.")
    batch: str | None = Field(None, description="The id of a batch.")
    package: str | None = Field(None, description="NAME, or NAME==VERSION.")
    record: str | None = Field(None, description="The first digits of a record's id.")
    project: str | None = Field(None, description="Only reports of this project.")


class UsedByObject(BaseModel):
    """What stands on a thing, newest first."""

    kind: str
    name: str
    sentence: str
    reports: list[Json]
    made_by: list[str]
    batches: list[str]


@blueprint.get("/explain", responses={200: ExplanationObject})
def explain(query: ExplainQuery) -> Response:
    """Name the causes of a difference between two runs, or tell the story of one."""
    with installation().ledger.reading() as session:
        return jsonify(explained(session, installation(), query.a, query.b))


@blueprint.get("/used-by", responses={200: UsedByObject})
def find_users(query: UsedByQuery) -> Response:
    """Find the reports that stand on a file, artifact, batch, package or record."""
    wanted = wanted_thing(query.model_dump())
    with installation().ledger.reading() as session:
        return jsonify(used_by(session, wanted).as_json())
