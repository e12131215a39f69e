"""Links to one report: make one, list them, revoke one."""

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.entrance import make_blueprint, refuse
from app.api.v1.models import RunPath
from app.current import actor, installation
from app.sharing.links import MOST_DAYS, USUAL_DAYS, end_of, new_link, share_object
from provenance.ledger.finding import find_run
from provenance.ledger.shares import revoke_share, shares_of

blueprint = make_blueprint("api_shares")


class SharePath(BaseModel):
    """The path of a link."""

    share_id: str


class ShareBody(BaseModel):
    """When the link ends: at most one of these."""

    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(
        None, ge=1, le=MOST_DAYS, description=f"So many days from now; left out: {USUAL_DAYS}."
    )
    until: str | None = Field(None, max_length=60, description="A date (its end) or an instant.")


class ShareObject(BaseModel):
    """A link to one report."""

    id: str
    run: str
    actor: str
    at: str
    ends_at: str
    open: bool
    revoked_at: str | None
    revoked_by: str | None


class NewShareObject(ShareObject):
    """A link that has just been made."""

    url: str = Field(description="Its address, told this once: only its digest is kept.")


class ShareList(BaseModel):
    """The links to one report, newest first."""

    items: list[ShareObject]


@blueprint.post("/runs/<string:run_id>/shares", responses={201: NewShareObject})
def share_run(path: RunPath, body: ShareBody) -> tuple[Response, int]:
    """Make a link that opens this report to whoever has it, and nothing else, until it ends."""
    if body.days is not None and body.until is not None:
        refuse("Both days and until are given.", "Leave one of them out.")
    ends = end_of(body.days, body.until)
    return jsonify(new_link(installation(), path.run_id, ends, actor())), 201


@blueprint.get("/runs/<string:run_id>/shares", responses={200: ShareList})
def list_shares(path: RunPath) -> Response:
    """List the links to a report, newest first, at most 50."""
    with installation().ledger.reading() as session:
        find_run(session, path.run_id)
        rows = shares_of(session, path.run_id)
    return jsonify({"items": [share_object(row) for row in rows]})


@blueprint.post("/shares/<string:share_id>/revoke", responses={200: ShareObject})
def revoke(path: SharePath) -> Response:
    """End a link now; one that has ended stays as it is."""
    with installation().ledger.writing() as session:
        return jsonify(share_object(revoke_share(session, path.share_id, actor())))
