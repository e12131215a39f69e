"""A file that somebody brings is looked into, and given the form that batches have.

This needs neither ledger nor store: a process of its own does it (`elsewhere`).
"""

from dataclasses import dataclass
from pathlib import Path

from provenance.datasets.forms import CSV, JSON_GZIP
from provenance.datasets.frames import Described, compress, csv_to_parquet, describe


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
