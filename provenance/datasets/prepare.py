"""A file that somebody brings becomes the file of a batch: looked into, and given its form."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from provenance.datasets.forms import ANYTHING, CSV, JSON_GZIP
from provenance.datasets.frames import Described, compress, csv_to_parquet, describe
from provenance.datasets.publish import NewBatch
from provenance.store import Store


@dataclass(frozen=True)
class Prepared:
    """The file that a batch is going to have; it may be the one that was brought."""

    path: Path
    filename: str
    described: Described


def prepare(source: Path, folder: Path, *, keep: bool = False) -> Prepared:
    """Look into *source*, and write what its batch keeps into *folder* where that differs.

    CSV becomes Parquet, except where *keep* is asked for; JSON is compressed; anything else
    stays as it is. Raises FrameError.
    """
    described = describe(source)
    if described.media_type == CSV and not keep:
        target = folder / f"{source.stem}.parquet"
        csv_to_parquet(source, target)
        return Prepared(target, target.name, describe(target))
    if described.media_type == JSON_GZIP:
        target = folder / f"{source.name}.gz"
        compress(source, target)
        return Prepared(target, target.name, described)
    return Prepared(source, source.name, described)


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
