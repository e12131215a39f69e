"""Files of runs as they are: sandboxed, never trusted."""

from flask import Response, request

from app.current import installation
from app.web.headers import sandboxed
from provenance.errors import NotFoundError
from provenance.ledger.cancel import find_run
from provenance.ledger.queries.live import live_image
from provenance.ledger.tables import Run

_ALWAYS = "private, max-age=86400, immutable"


class NoArtifactError(NotFoundError):
    """Raised when a run did not leave the file asked for."""


def report_html(run_id: str) -> Response:
    """Send the report's page; with ``?download=1`` as a file."""
    with installation().ledger.reading() as session:
        run = find_run(session, run_id)
    name = f"{run.report}-{run.commit_sha[:8]}.html" if "download" in request.args else ""
    return artifact(run, run.html, "page", "text/html; charset=utf-8", name)


def live_figure(run_id: str, seq: int) -> Response:
    """Send a figure that a run has drawn so far."""
    with installation().ledger.reading() as session:
        image = live_image(session, run_id, seq)
    response = sandboxed(Response(image, content_type="image/png"), installation().base_url)
    response.headers["Cache-Control"] = _ALWAYS
    return response


def artifact(
    run: Run, digest: str | None, what: str, content_type: str, download: str = ""
) -> Response:
    """Send the object *digest* of *run* under the sandbox, as a file where *download* names it.

    Raises `NoArtifactError` where the run left none, MissingObjectError where it is lost.
    """
    if digest is None:
        raise NoArtifactError(
            f"Run {run.id} has no {what}.", "Its page tells how far it came, and why."
        )
    store = installation().store
    if request.if_none_match.contains(digest):
        response = Response(status=304)
    else:
        response = Response(store.read(digest), content_type=content_type)
    response.set_etag(digest)
    if download:
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in download)
        response.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return sandboxed(response, installation().base_url)
