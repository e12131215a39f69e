"""Files of runs as they are: sandboxed, never trusted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from flask import Response, request

from app.archive.thumbnails import thumbnail
from app.current import installation, settings
from app.exports import bundle, file_name, standalone_page
from app.printing import print_pdf
from app.web.headers import LASTING_SECONDS, sandboxed
from pipeline.bundles.writing import zipped
from pipeline.rendering.assets import asset_bytes, known_asset
from provenance.errors import GoneError, NotFoundError
from provenance.ledger.finding import find_run
from provenance.ledger.queries.figures import FigureRow, figure_like
from provenance.ledger.queries.live import live_image
from provenance.ledger.tables import Run
from provenance.pages import Part, parts_of

_HTML = "text/html; charset=utf-8"
_ALWAYS = "private, max-age=86400, immutable"


class NoArtifactError(NotFoundError):
    """Raised when a run did not leave the file asked for."""


class ClearedArtifactError(GoneError):
    """Raised when a run's file was cleared because its time was over."""

    code = "cleared"


def report_html(run_id: str) -> Response:
    """Send the report's page; with ``?download=1`` as a file, which is always one whole.

    ``?standalone=1`` gives that file to the browser: libraries and figures are in it.
    """
    with installation().ledger.reading() as session:
        run = find_run(session, run_id)
    download = "download" in request.args
    name = file_name(run, "html") if download else ""
    response = artifact(run, run.html, "page", _HTML, name)
    if (download or "standalone" in request.args) and run.html is not None:
        response.set_etag(f"{run.html}-as-one-file")
        if response.status_code == 200:
            response.set_data(standalone_page(installation(), run))
    return response


def bundle_zip(run_id: str) -> Response:
    """Send page, notebook and records as one ZIP file, written while it is sent."""
    found = bundle(installation(), run_id)
    with installation().ledger.reading() as session:
        name = file_name(find_run(session, run_id), "bundle.zip")
    response = Response(zipped(found), content_type="application/zip")
    _name(response, name)
    return sandboxed(response, installation().base_url)


def report_pdf(run_id: str) -> Response:
    """Send the report as PDF, printed now; raises PrinterError where nothing prints here."""
    with installation().ledger.reading() as session:
        run = find_run(session, run_id)
    if run.html is None:
        raise NoArtifactError(f"Run {run.id} has no page.", "Its page tells how far it came.")
    page = standalone_page(installation(), run)
    response = Response(print_pdf(page, settings()), content_type="application/pdf")
    _name(response, file_name(run, "pdf"))
    return sandboxed(response, installation().base_url)


def output(run_id: str, cell: int, part: str) -> Response:
    """Send what belongs to a report's page and lies beside it: a figure, or an output whole."""
    with installation().ledger.reading() as session:
        run = find_run(session, run_id)
    parts = _parts(run.html) if run.html is not None else {}
    found = parts.get(f"{cell}/{part}")
    if found is None:
        raise NoArtifactError(
            f"The page of run {run.id} has no output {cell}/{part[:40]} beside it.",
            "What is not too large stands in the page itself.",
        )
    response = artifact(run, found.sha256, "output", found.media_type)
    response.headers["Cache-Control"] = _ALWAYS
    return response


def asset(sha256: str, name: str) -> Response:
    """Send a library that draws on pages; the address names its bytes, so it lasts."""
    found = known_asset(sha256, name)
    response = Response(asset_bytes(installation().store, found), content_type=found.media_type)
    response.headers["Cache-Control"] = f"public, max-age={LASTING_SECONDS}, immutable"
    # Pages in a sandbox have no origin, and what asks across origins needs leave.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_etag(sha256)
    return response


@lru_cache(maxsize=64)
def _parts(digest: str) -> Mapping[str, Part]:
    """Return what belongs to a page, remembered: requests of its figures come in dozens."""
    return parts_of(installation().store.read(digest).decode())


def live_figure(run_id: str, seq: int) -> Response:
    """Send a figure that a run has drawn so far."""
    with installation().ledger.reading() as session:
        image = live_image(session, run_id, seq)
    response = sandboxed(Response(image, content_type="image/png"), installation().base_url)
    response.headers["Cache-Control"] = _ALWAYS
    return response


def figure_content(sha256: str) -> Response:
    """Send what a figure shows, as it is: a picture, or the data of a table or chart."""
    with installation().ledger.reading() as session:
        found = figure_like(session, sha256)
    return _lasting(found, "figure", lambda: installation().store.read(found.sha256))


def figure_thumbnail(sha256: str) -> Response:
    """Send a small picture of a figure that is none itself."""
    with installation().ledger.reading() as session:
        found = figure_like(session, sha256)
    svg = replace(found, media_type="image/svg+xml")
    return _lasting(svg, "thumbnail", lambda: thumbnail(found, installation().store))


def _lasting(figure: FigureRow, what: str, content: Callable[[], str | bytes]) -> Response:
    """Send what the digest in the address names, so that it never changes."""
    tag = f"{figure.sha256}-{what}"
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    else:
        response = Response(content(), content_type=figure.media_type)
    response.set_etag(tag)
    response = sandboxed(response, installation().base_url)
    response.headers["Cache-Control"] = f"private, max-age={LASTING_SECONDS}, immutable"
    return response


def artifact(
    run: Run, digest: str | None, what: str, content_type: str, download: str = ""
) -> Response:
    """Send the object *digest* of *run* under the sandbox, as a file where *download* names it.

    Raises `NoArtifactError` where the run left none, ClearedArtifactError where its time was
    over, MissingObjectError where it is lost.
    """
    if digest is None and run.expired_at is not None:
        raise ClearedArtifactError(
            f"The {what} of run {run.id} was kept for its time, until {run.expired_at:%Y-%m-%d}.",
            f"The record of how it came to be stays: /runs/{run.id}/provenance",
        )
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
        _name(response, download)
    return sandboxed(response, installation().base_url, f"/runs/{run.id}")


def _name(response: Response, download: str) -> None:
    """Have the answer saved as a file of that name, without what is special to somebody."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in download)
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
