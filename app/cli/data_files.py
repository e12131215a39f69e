"""Batches as files: copied out of the store, checked, in the form that was asked for."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.installation import Installation
from provenance.datasets.forms import FORMATS, JSON_GZIP, export_name, format_of
from provenance.datasets.frames import FrameError, convert
from provenance.files import durable_file
from provenance.ledger.data_tables import Batch

_READ_ONLY, _PLAIN = 0o444, 0o644


@contextmanager
def laid_out(installation: Installation, batch: Batch, form: str | None) -> Iterator[Path]:
    """Give a file with the content of *batch* in the form *form*, which is gone afterwards.

    Left out, *form* is the one it is kept in. Raises FrameError where that cannot be.
    """
    with tempfile.TemporaryDirectory(prefix="provenote-") as folder:
        kept = Path(folder) / "kept"
        installation.store.copy_out(batch.sha256, kept)
        if (wanted := form or format_of(batch.media_type)) is None:
            yield kept
            return
        made = Path(folder) / "made"
        with made.open("wb") as target:
            convert(kept, batch.media_type, FORMATS[wanted], target)
        yield made


def write_out(installation: Installation, batch: Batch, form: str | None, target: Path) -> None:
    """Write *batch* to *target*, whole or not at all."""
    if not target.parent.is_dir():
        raise FrameError(f"There is no folder {target.parent}.", "Make it, or name another.")
    _copy(installation, batch, form, target, _PLAIN)


def lasting_copy(installation: Installation, batch: Batch, form: str | None) -> Path:
    """Return a read-only copy below the home, made where it is not there yet.

    Its name ends in what tells the form, as readers of files expect.
    """
    name = export_name(batch, form or format_of(batch.media_type))
    target = installation.home / "batches" / batch.id / name
    if not _is_whole(target, batch, form):
        _copy(installation, batch, form, target, _READ_ONLY)
    target.parent.touch()  # copies that nobody asks for any more are cleared away
    return target


def _is_whole(target: Path, batch: Batch, form: str | None) -> bool:
    """Say whether the copy is there, and, where its digest is known, as it was made."""
    if not target.is_file():
        return False
    if form is not None or batch.media_type == JSON_GZIP:
        return True
    with target.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() == batch.sha256


def _copy(
    installation: Installation, batch: Batch, form: str | None, target: Path, mode: int
) -> None:
    with (
        laid_out(installation, batch, form) as found,
        found.open("rb") as source,
        durable_file(target, mode=mode) as handle,
    ):
        while chunk := source.read(1024 * 1024):
            handle.write(chunk)
