"""Really ending what users' code started.

What is here contains accidents, not enemies. A supervising process is made the reaper of
everything below it, so that a daemonised grandchild can be found and ended like any other
child.
"""

import contextlib
import ctypes
import os
import signal
import time

import psutil

from pipeline.workplace import MARKER

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def end_with_parent(number: signal.Signals) -> None:
    """Let this process get the signal *number* as soon as the one that started it is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def become_supervisor() -> None:
    """Make this process end with its parent, and reap all that is started below it."""
    parent = os.getppid()
    end_with_parent(signal.SIGKILL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:  # the parent was gone before the signal was asked for
        os._exit(1)


def end_descendants(grace: float = 0.0) -> int:
    """End every process below this one and return how many there were.

    Each is asked to terminate first where *grace* seconds are given. New ones that appear
    meanwhile are found too: the sweep repeats until nothing is left.
    """
    ended = 0
    deadline = time.monotonic() + grace
    while living := psutil.Process().children(recursive=True):
        stop = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        ended += len(living)
        for child in living:
            with contextlib.suppress(psutil.Error):
                child.send_signal(stop)
        psutil.wait_procs(living, timeout=0.05 if stop == signal.SIGKILL else grace)
    return ended


def end_tree(pid: int) -> None:
    """Kill the process *pid* and all below it; for one that no longer ends by itself."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(family, timeout=5.0)


def marked_processes(prefix: str) -> dict[int, str]:
    """Return processes whose marker starts with *prefix*: their pids and whole markers."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            marker = process.environ().get(MARKER, "")
            if marker.startswith(prefix):
                found[process.pid] = marker
    return found
