"""Batches and packages of models as downloads: sandboxed, never trusted."""

import tempfile
from pathlib import Path
from typing import IO

from flask import Response, request, send_file

from app.current import installation
from app.web.headers import sandboxed
from provenance.datasets.elsewhere import convert_elsewhere
from provenance.datasets.forms import ANYTHING, FORMATS, JSON, JSON_GZIP, export_name, format_of
from provenance.datasets.frames import FrameError, convert
from provenance.datasets.models import package_name, write_package
from provenance.ledger.data_tables import Batch
from provenance.nearest import did_you_mean_or_all

_IN_MEMORY = 8 * 1024 * 1024


def batch_content(batch: Batch, form: str | None) -> Response:
    """Send *batch* in the form *form*; None: the form that it is kept in.

    Its digest is the ETag. Raises FrameError where it cannot take that form, CorruptObjectError.
    """
    if form is not None and form not in FORMATS:
        raise FrameError(f"There is no format {form[:40]!r}.", did_you_mean_or_all(form, FORMATS))
    wanted = form or format_of(batch.media_type)
    # What is no table is a file to be saved, whatever its maker calls it.
    media_type = FORMATS[wanted] if wanted is not None else ANYTHING
    kept = media_type == batch.media_type or wanted is None
    tag = batch.sha256 if kept else f"{batch.sha256}-{wanted}"
    if request.if_none_match.contains(tag):
        return _sandboxed(Response(status=304), tag)
    return _sent(_file(batch, wanted), media_type, export_name(batch, wanted), tag)


def model_package(batch: Batch) -> Response:
    """Send the package of a model's version, a zip."""
    target = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    write_package(installation().store, batch, target)
    target.seek(0)
    return _sent(target, "application/zip", package_name(batch), f"package-{batch.id}")


def _file(batch: Batch, form: str | None) -> IO[bytes]:
    """Return an open file with *batch*, checked; it has no name and is gone when it is closed."""
    home = installation().home / "incoming"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        kept, made = Path(folder) / "kept", Path(folder) / "made"
        installation().store.copy_out(batch.sha256, kept)
        if form is None or FORMATS[form] == batch.media_type:
            return kept.open("rb")
        if batch.media_type == JSON_GZIP and FORMATS[form] == JSON:
            with made.open("wb") as target:
                convert(kept, batch.media_type, JSON, target)
        else:
            convert_elsewhere(kept, batch.media_type, FORMATS[form], made)
        return made.open("rb")


def _sent(handle: IO[bytes], media_type: str, name: str, tag: str) -> Response:
    response = send_file(handle, media_type, as_attachment=True, download_name=name)
    return _sandboxed(response, tag)


def _sandboxed(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    return sandboxed(response, installation().base_url)
