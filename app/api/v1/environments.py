"""Environments: what is in them, how they were built, and who was given them."""

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field

from app.api.v1.entrance import make_blueprint
from app.current import installation
from app.environment_object import environment_object, whole_environment
from provenance.ledger.queries.environments import environment_page, environments

blueprint = make_blueprint("api_environments")
Json = dict[str, Any]


class EnvironmentPath(BaseModel):
    """The path of an environment."""

    key: str = Field(description="Its key, or the first digits of it, at least eight.")


class EnvironmentObject(BaseModel):
    """An environment."""

    key: str
    source: str = Field(description="The file that it is made from; `default` without one.")
    state: str = Field(description="`ready`, `building`, `failed`, `interrupted`, `collected`.")
    python: str
    platform: str
    packages: int
    size: int | None = Field(description="Bytes on disk.")
    built_at: str | None
    seconds: float | None = Field(description="How long its build took.")
    runs: int
    last_run_at: str | None
    kernels_off: bool = Field(
        description="Whether warm kernels gave something else than cold ones, and are not used."
    )
    links: dict[str, str]


class WholeEnvironment(EnvironmentObject):
    """An environment with its packages, its builds and those who were given it."""

    distributions: dict[str, str] = Field(description="Version by name.")
    kernels: list[Json] = Field(
        description="What is known of its warm kernels, by what they have imported beforehand."
    )
    builds: list[Json] = Field(description="Newest first.")
    used_by: list[Json] = Field(description="Reports, with their newest run.")


class EnvironmentList(BaseModel):
    """All environments, those used last first."""

    items: list[EnvironmentObject]


@blueprint.get("/environments", responses={200: EnvironmentList})
def list_environments() -> Response:
    """List all environments."""
    base = installation().base_url
    with installation().ledger.reading() as session:
        found = environments(session)
    return jsonify({"items": [environment_object(one, base) for one in found]})


@blueprint.get("/environments/<string:key>", responses={200: WholeEnvironment})
def show_environment(path: EnvironmentPath) -> Response:
    """Show an environment with its packages and builds."""
    with installation().ledger.reading() as session:
        page = environment_page(session, path.key)
    return jsonify(whole_environment(page, installation().base_url))
