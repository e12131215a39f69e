"""What the machine has that settings are made from."""

import contextlib
import os
from pathlib import Path

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def most_memory() -> int:
    """Return four fifths of the memory, in bytes, that this machine or container has."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # no container, or no limit: "max"
        whole = min(whole, int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    return whole * 4 // 5
