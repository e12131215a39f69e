"""Folders that somebody uses now: who holds one keeps others from clearing it away.

A hold is a shared lock of the operating system on the file that says when the folder was used
last, so it ends with its holder, however that comes about.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from provenance.files import use_marker


class Hold:
    """Keeps a folder where it is, for as long as this object lives."""

    def __init__(self, folder: Path) -> None:
        """Hold *folder*, which need not be there yet, and mark it as used."""
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):  # on a read-only disk nobody clears anything away
            self._descriptor = _shared(use_marker(folder))

    def release(self) -> None:
        """Let go of the folder."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def _shared(marker: Path) -> int:
    """Lock the file that has the name of *marker*; one that was removed meanwhile is let go."""
    while True:
        descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            os.utime(descriptor)
            if _is(descriptor, marker):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def unheld(folder: Path) -> Iterator[bool]:
    """Tell whether nobody holds *folder*; then nobody can begin to before the block ends."""
    marker = use_marker(folder)
    try:
        descriptor = os.open(marker, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True  # whoever uses it never said so: its age alone decides
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield _is(descriptor, marker)
    finally:
        os.close(descriptor)
