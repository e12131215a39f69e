"""Who holds a claim: the name of a process, by which another can tell that it is gone."""

import os

import psutil

from pipeline.containment import this_host


def owner_name() -> str:
    """Return the name under which this process claims work: host, pid, and its start time."""
    started = psutil.Process().create_time()
    return f"{this_host()}/{os.getpid()}/{started:.2f}"


def is_alive(owner: str) -> bool:
    """Tell whether the process that claims under the name *owner* on this host still lives."""
    _, pid, started = owner.rsplit("/", 2)
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except (psutil.Error, ValueError):
        return False
