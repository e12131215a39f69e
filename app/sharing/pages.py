"""What a link opens: one report in a light frame, and its downloads. Nothing is written.

Whoever has the link may be a stranger: no page here shows or leads to anything else of the
archive, errors included. A proxy that asks who readers are can let ``/shared/``, ``/assets/`` and
``/static/`` through.
"""

from flask import Blueprint, Response, abort, current_app, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from app.archive import artifacts
from app.current import installation
from app.errors import http_status
from app.exports import file_name
from app.web.headers import sandboxed
from provenance.errors import ProvenoteError
from provenance.ledger.finding import find_run
from provenance.ledger.queries.run import run_page
from provenance.ledger.shares import EndedShareError, UnknownShareError, share_of_token

blueprint = Blueprint("shared", __name__, url_prefix="/shared")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@blueprint.get("/<token>")
def show(token: str) -> str:
    """Show the report in its frame: what it is, until when, how it came to be."""
    with installation().ledger.reading() as session:
        share = share_of_token(session, token)
        page = run_page(session, share.run_id)
    return render_template("sharing/report.html", share=share, token=token, page=page)


@blueprint.get("/<token>/report")
def report(token: str) -> Response:
    """Send the report's page; with ``?download=1`` as one file."""
    return _below(token, artifacts.report_html(_run_of(token)))


@blueprint.get("/<token>/output/<int:cell>/<part>")
def output(token: str, cell: int, part: str) -> Response:
    """Send a figure of the page, or an output whole, that lies beside it."""
    return _below(token, artifacts.output(_run_of(token), cell, part))


@blueprint.get("/<token>/notebook")
def notebook(token: str) -> Response:
    """Send the executed notebook."""
    with installation().ledger.reading() as session:
        run = find_run(session, share_of_token(session, token).run_id)
    name = file_name(run, "ipynb")
    return artifacts.artifact(run, run.notebook, "notebook", "application/x-ipynb+json", name)


@blueprint.get("/<token>/bundle")
def bundle(token: str) -> Response:
    """Send page, notebook and records as one ZIP file."""
    return artifacts.bundle_zip(_run_of(token))


@blueprint.route("/", defaults={"rest": ""}, methods=_METHODS, strict_slashes=False)
@blueprint.route("/<path:rest>", methods=_METHODS)
def nothing(rest: str) -> Response:
    """Answer 404: a link leads to nothing else."""
    del rest
    abort(404)


def _run_of(token: str) -> str:
    with installation().ledger.reading() as session:
        return share_of_token(session, token).run_id


def _below(token: str, response: Response) -> Response:
    """Let a page show the figures that lie below its link."""
    return sandboxed(response, installation().base_url, f"/shared/{token}")


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    """Let nobody keep it, find it, or hear of its address."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _exempt_from_csrf(state: BlueprintSetupState) -> None:
    """Let the answer to a POST be that there is nothing: nothing here takes one."""
    if (protection := state.app.extensions.get("csrf")) is not None:
        protection.exempt(state.blueprint)


blueprint.record(_exempt_from_csrf)


@blueprint.errorhandler(ProvenoteError)
def _our_error(error: ProvenoteError) -> ResponseReturnValue:
    if isinstance(error, EndedShareError | UnknownShareError):
        return _mishap(http_status(error), error.message, error.hint)
    # Other errors name runs, and pages that a stranger cannot open.
    return _mishap(http_status(error), "The report that is shared here does not have that.")


@blueprint.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is not None and error.code < 400:
        return error
    return _mishap(error.code or 500, "No report is shared at this address.")


@blueprint.errorhandler(OperationalError)
@blueprint.errorhandler(InterfaceError)
def _database_error(error: OperationalError | InterfaceError) -> ResponseReturnValue:
    current_app.logger.error("The ledger does not answer.", exc_info=error)
    return _mishap(503, "The archive does not answer at the moment.", "Try again in a minute.")


@blueprint.errorhandler(Exception)
def _unforeseen(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("A shared report could not be shown.", exc_info=error)
    return _mishap(500, "A mistake of provenote's own stopped this page.")


def _mishap(status: int, message: str, hint: str = "") -> ResponseReturnValue:
    page = render_template("sharing/mishap.html", status=status, message=message, hint=hint)
    return page, status
