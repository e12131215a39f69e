"""A file that somebody brings becomes the file of a batch."""

import hashlib
from dataclasses import replace
from pathlib import Path

from provenance.datasets.forms import ANYTHING
from provenance.datasets.prepare import Prepared
from provenance.datasets.publish import NewBatch
from provenance.store import Store


def keep_file(store: Store, prepared: Prepared, into: NewBatch) -> NewBatch:
    """Put the file into the store and return *into* with what is known of it."""
    blob = store.put_file(prepared.path)
    told = prepared.described
    return replace(
        into,
        sha256=blob.sha256,
        size=blob.size,
        media_type=told.media_type,
        filename=prepared.filename,
        rows=told.rows,
        columns=told.columns,
    )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as it came, before anything is made of it."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def nothing_yet(dataset: str, actor: str) -> NewBatch:
    """Return a batch without a file, for `keep_file` to fill in."""
    return NewBatch(dataset, "", 0, ANYTHING, "", actor)
