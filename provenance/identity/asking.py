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

from provenance.errors import UnavailableError

_SECONDS = 10
_PATIENCE = 3
"""Who did not answer in time is asked once more, for so many times as long."""
_LARGEST_FILE = 64 << 20
"""A program that prints or writes without end fills no disk."""


class NoAnswerError(UnavailableError):
    """Raised when a program does not end in time when asked what it is."""

    code = "no_answer"


def ask(argv: Sequence[str], path: str, most: int) -> str | None:
    """Return the first *most* bytes that *argv* prints; None unless it ends well.

    Raises NoAnswerError where it does not end in time, also when asked once more: a loaded
    machine is no fact about the program, and must not get into a key as one.
    """
    for seconds in (_SECONDS, _SECONDS * _PATIENCE):
        try:
            status, said = answer(argv, path, most, seconds)
        except subprocess.TimeoutExpired:
            continue
        except OSError:  # executable, but nothing that this machine can execute
            return None
        return said if status == 0 else None
    raise NoAnswerError(
        f"{argv[0]} did not end within {seconds:g} s when asked what it is: {' '.join(argv[1:])}",
        "Try again when the machine has less to do; a program that never ends when it is asked "
        "this can be started by a script of the project.",
    )


def answer(argv: Sequence[str], path: str, most: int, seconds: float) -> tuple[int, str]:
    """Return the exit status of *argv* and the first *most* bytes that it prints.

    It runs in a folder of its own, which is its home as well, and is removed with all in it. Of
    our environment it gets nothing but *path*: so no proxy, no agent, no file of credentials.
    What it leaves running is ended. Raises OSError where it cannot be started, and
    subprocess.TimeoutExpired where it has not ended after *seconds*.
    """
    with (
        tempfile.TemporaryDirectory(prefix="provenote-ask-", ignore_cleanup_errors=True) as place,
        tempfile.TemporaryFile() as output,
    ):
        # A file and no pipe: what the program leaves running could keep a pipe open for ever.
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=place,
            env={"PATH": path, "LC_ALL": "C", "HOME": place, "TMPDIR": place},
            start_new_session=True,
        )
        try:
            _limit(process.pid, math.ceil(seconds))
            status = process.wait(seconds)
        finally:
            _end(process)
        output.seek(0)
        return status, output.read(most).decode(errors="replace")


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


def _limit(pid: int, seconds: int) -> None:
    """Limit what a process may use; from outside, as code between fork and exec may block."""
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
