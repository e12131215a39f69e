"""Writing files so that a crash leaves either the whole file or none."""

import contextlib
import errno
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from provenance.errors import UnavailableError

TEMPORARY_PREFIX = ".tmp-"
_USED_SUFFIX = ".used"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FICLONE = 0x40049409
"""The kernel's request to let two files share their blocks until one is written to."""
_CHUNK = 1024 * 1024


class DiskFullError(UnavailableError):
    """Raised when there is no room to write a file; nothing of it is left."""

    code = "disk_full"


@contextlib.contextmanager
def durable_file(target: Path, *, mode: int = 0o444, replace: bool = True) -> Iterator[IO[bytes]]:
    """Give a file to write; when the block ends well, *target* appears whole.

    The bytes go to a temporary file in the same directory, are synced to disk, made
    read-only (*mode*), put in place in one step, and the directory is synced. Without
    *replace* an existing target is kept and FileExistsError raised. Raises DiskFullError
    where there is no room.
    """
    with room_for(target):
        make_folder(target.parent)
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


@contextlib.contextmanager
def room_for(target: Path) -> Iterator[None]:
    """Turn what the system says of a full disk into a DiskFullError that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFullError(
            f"There is no room on the disk to write in {target.parent}: {error.strerror}.",
            "Free some space; `provenote gc` shows what can go. Nothing was left half written.",
        ) from error


def remove_tree(folder: Path) -> None:
    """Remove a directory and all in it, however deep; what cannot be removed stays."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # deeper than Python's own goes, before its version 3.13
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)


def make_folder(folder: Path) -> None:
    """Make a directory and those above it, so that their names survive a loss of power."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_directory(folder.parent)


def mark_used(folder: Path) -> None:
    """Note that *folder* is used now, in a file beside it.

    The folder itself stays as it is: it may be read-only, and what happens in it is watched.
    When it was read last is not asked of the file system, which may not note that at all, and
    else notes backups and our own look round as well.
    """
    with contextlib.suppress(OSError):  # on a read-only disk nobody clears anything away
        use_marker(folder).touch()


def use_marker(folder: Path) -> Path:
    """Return the file whose time says when *folder* was last used."""
    return folder.with_name(folder.name + _USED_SUFFIX)


def sync_directory(directory: Path) -> None:
    """Make the names in *directory* survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_file(source: IO[bytes], target: Path) -> None:
    """Write the bytes of *source* to the new file *target*, which is writable and its own.

    Where the file system can, both share their blocks until one of them is written to, which
    costs neither time nor space; never are they one file under two names.
    """
    with room_for(target), target.open("xb") as writer:
        try:
            if not _cloned(source, writer):
                shutil.copyfileobj(source, writer, _CHUNK)
                writer.flush()
        except BaseException:
            target.unlink()
            raise


def _cloned(source: IO[bytes], writer: IO[bytes]) -> bool:
    try:
        fcntl.ioctl(writer.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False  # another file system, or one that cannot
    return True
