"""Writing files so that a crash leaves either the whole file or none."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TEMPORARY_PREFIX = ".tmp-"


@contextmanager
def durable_file(target: Path, *, mode: int = 0o444, replace: bool = True) -> Iterator[IO[bytes]]:
    """Give a file to write; when the block ends well, *target* appears whole.

    The bytes go to a temporary file in the same directory, are synced to disk, made
    read-only (*mode*), put in place in one step, and the directory is synced. Without
    *replace* an existing target is kept and FileExistsError raised.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            yield handle
            handle.flush()
            os.fchmod(handle.fileno(), mode)
            os.fsync(handle.fileno())
        if replace:
            temporary.replace(target)
        else:
            os.link(temporary, target)
        sync_directory(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_durably(target: Path, data: bytes, *, mode: int = 0o444, replace: bool = True) -> None:
    """Write *data* to *target* by :func:`durable_file`."""
    with durable_file(target, mode=mode, replace=replace) as handle:
        handle.write(data)


def sync_directory(directory: Path) -> None:
    """Make the names in *directory* survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
