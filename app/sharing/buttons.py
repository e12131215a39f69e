"""The buttons of a run's page that share it: make a link, revoke one."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.current import actor, installation
from app.sharing.links import end_of, new_link
from provenance.ledger.shares import revoke_share

blueprint = Blueprint("sharing", __name__)


@blueprint.post("/runs/<run_id>/shares")
def make_link(run_id: str) -> ResponseReturnValue:
    """Make a link to the run's report, and show it, this once."""
    ends = end_of(None, request.form.get("until", "").strip())
    told = new_link(installation(), run_id, ends, actor())
    page = render_template("sharing/made.html", run_id=run_id, told=told, ends=ends)
    return page, 201, {"Cache-Control": "no-store"}


@blueprint.post("/shares/<share_id>/revoke")
def revoke_link(share_id: str) -> Response:
    """End a link; go back to its run."""
    with installation().ledger.writing() as session:
        run_id = revoke_share(session, share_id, actor()).run_id
    return redirect(url_for("archive.run", run_id=run_id, _anchor="shares"), 303)
