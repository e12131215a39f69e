"""Asking an installed program what it is: contained, and never a program of users' own."""

import math
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_IWGRP, S_IWOTH

_SECONDS = 10
"""Long enough for a loaded machine: a version that is told only sometimes changes keys."""
_LARGEST_FILE = 64 << 20
"""A program that prints or writes without end fills no disk."""


def ask(argv: Sequence[str], path: str, most: int) -> str | None:
    """Return the first *most* bytes that *argv* prints; None unless it ends well and in time.

    It runs in a folder of its own, which is its home as well, and is removed with all in it. Of
    our environment it gets nothing but *path*: so no proxy, no agent, no file of credentials.
    What it leaves running is ended.
    """
    with (
        tempfile.TemporaryDirectory(prefix="provenote-ask-", ignore_cleanup_errors=True) as place,
        tempfile.TemporaryFile() as output,
    ):
        # A file and no pipe: what the program leaves running could keep a pipe open for ever.
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=place,
                env={"PATH": path, "LC_ALL": "C", "HOME": place, "TMPDIR": place},
                start_new_session=True,
            )
        except OSError:  # executable, but nothing that this machine can execute
            return None
        try:
            _limit(process.pid)
            ended_well = process.wait(_SECONDS) == 0
        except subprocess.TimeoutExpired:
            ended_well = False
        finally:
            _end(process)
        output.seek(0)
        return output.read(most).decode(errors="replace") if ended_well else None


def may_be_asked(found: str, path: str, users: Sequence[Path] = ()) -> bool:
    """Tell whether the program *found* is one that was installed, and may be executed by us.

    It is not where it lies below *users*, the folders of users' code, nor where it leads
    there. It is where it lies in a folder of *path*; anywhere else, only where nobody but root
    and we can have put it there.
    """
    real = os.path.realpath(found)
    if any(_is_below(place, folder) for folder in users for place in (found, real)):
        return False
    return str(Path(found).parent) in path.split(os.pathsep) or all(map(_is_ours, _above(real)))


def _limit(pid: int) -> None:
    """Limit what a process may use; from outside, as code between fork and exec may block."""
    seconds = math.ceil(_SECONDS)
    with suppress(ProcessLookupError, PermissionError):  # ended already; another user's by setuid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(pid, resource.RLIMIT_CPU, (seconds, seconds))


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):  # it ended with all that it started
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_below(place: str, folder: Path) -> bool:
    real = folder.resolve()
    return any(Path(place).is_relative_to(above) for above in (folder, real))


def _above(real: str) -> Iterator[Path]:
    yield Path(real)
    yield from Path(real).parents


def _is_ours(place: Path) -> bool:
    status = place.stat()
    return status.st_uid in (0, os.getuid()) and not status.st_mode & (S_IWGRP | S_IWOTH)
