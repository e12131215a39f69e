"""Who holds a claim: the name of a process, by which another can tell that it is gone."""

import os
from pathlib import Path

from pipeline.host import this_host


def owner_name() -> str:
    """Return the name under which this process claims work: host, pid, and when it started."""
    return f"{this_host()}/{os.getpid()}/{_started(str(os.getpid()))}"


def is_alive(owner: str) -> bool:
    """Tell whether the process that claims under the name *owner* on this host still lives."""
    pid, _, started = owner.removeprefix(f"{this_host()}/").partition("/")
    return _started(pid) == started


def _started(pid: str) -> str | None:
    """Return when the process started, in ticks since boot; None where it lives no more.

    Ticks, because a time of day would look another after the clock was set. A zombie is
    gone: it only waits to be buried by its parent.
    """
    if not pid.isdecimal():
        return None
    try:
        told = Path("/proc", pid, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = told.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]
