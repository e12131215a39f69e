"""Memory of kernels that wait below a host process, as the kernel of the system counts it."""

from contextlib import suppress
from pathlib import Path

import psutil

HOST = "provenote._host"


def waiting_kernels(root: int) -> list[psutil.Process]:
    """Return what was forked from a kernel host below the process *root*, and has no children.

    A host is the topmost process whose command line names it; each leaf of its tree is one
    kernel. Those between are its supervisors.
    """
    return [one for host in hosts(root) for one in host.children(recursive=True) if _is_leaf(one)]


def hosts(root: int) -> list[psutil.Process]:
    """Return the kernel hosts below the process *root*."""
    found = []
    for process in psutil.Process(root).children(recursive=True):
        with suppress(psutil.Error):
            above = process.parent()
            if _is_host(process) and not (above and _is_host(above)):
                found.append(process)
    return found


def private_bytes(process: psutil.Process) -> int:
    """Return the bytes of the process that it shares with no other, swapped ones not counted."""
    told = Path("/proc", str(process.pid), "smaps_rollup").read_text()
    lines = (line.split() for line in told.splitlines() if line.startswith("Private_"))
    return 1024 * sum(int(fields[1]) for fields in lines)


def private_bytes_each(root: int) -> list[float]:
    """Return the private bytes of each kernel below *root*, with its share of its supervisors."""
    kernels = waiting_kernels(root)
    pids = {one.pid for one in kernels}
    below = [one for host in hosts(root) for one in host.children(recursive=True)]
    shared = sum(private_bytes(one) for one in below if one.pid not in pids)
    return [private_bytes(one) + shared / len(kernels) for one in kernels]


def _is_host(process: psutil.Process) -> bool:
    return any(HOST in word for word in process.cmdline())


def _is_leaf(process: psutil.Process) -> bool:
    return not process.children()
