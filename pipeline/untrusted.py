"""Reading files that users' code could have put anything in place of."""

import os
import stat
from pathlib import Path

from provenance.store import Blob, Store


class UntrustedFileError(Exception):
    """Raised when what should be a file is a link, a pipe, a device, a directory, or too large."""


def read_regular(path: Path, limit: int) -> bytes:
    """Return at most *limit* bytes of the file at *path*, without following a link to it.

    Raises FileNotFoundError, or UntrustedFileError where it is no regular file. A pipe is
    opened without waiting for its other end.
    """
    with os.fdopen(_descriptor(path), "rb") as handle:
        return handle.read(limit)


def keep_regular(store: Store, path: Path, limit: int | None = None) -> Blob:
    """Keep the file at *path* in the store, as far as *limit*; see `read_regular`."""
    descriptor = _descriptor(path)
    try:
        if limit is not None and os.fstat(descriptor).st_size > limit:
            return store.put_bytes(os.read(descriptor, limit) + b"\n[cut here]\n")
        # Through the descriptor, so that nothing else can be put in the file's place now.
        return store.put_file(Path(f"/proc/self/fd/{descriptor}"))
    finally:
        os.close(descriptor)


def within(path: Path, folder: Path) -> Path:
    """Return *path* if it lies in *folder*, links resolved; raise UntrustedFileError if not.

    Users' code can put a link in place of *folder* too, or of the one that it lies in.
    """
    if folder.is_symlink() or folder.parent.is_symlink():
        raise UntrustedFileError(f"{folder.name} is a link")
    resolved = path.resolve()
    if not resolved.is_relative_to(folder.resolve()):
        raise UntrustedFileError(f"{path.name} does not lie where outputs belong")
    return resolved


def _descriptor(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UntrustedFileError(f"{path.name}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UntrustedFileError(f"{path.name} is no regular file")
    return descriptor
