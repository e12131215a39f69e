"""All processes below one, found in /proc: those of its children that went their own way too.

The one above them has to be their subreaper: then what leaves its session, forks twice or
outlives its parent stays below it, and can be found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_AFRESH = 50
"""After so many looks, what was no descendant is looked at again: numbers are used again."""
_ATTEMPTS = 3
_TRIES = 300
_DEAD = "ZX"


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    parent: int
    group: int
    state: str

    @property
    def living(self) -> bool:
        """Whether it can still do something; a dead one only waits to be asked for its status."""
        return self.state not in _DEAD


def look(pid: int) -> Process | None:
    """Return the process *pid*, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            told = file.read(1024)
    except OSError:
        return None
    # The name of the program stands in parentheses and may itself hold any.
    state, parent, group = told[told.rindex(b")") + 2 :].split(b" ", 3)[:3]
    return Process(pid, int(parent), int(group), state.decode())


@dataclass
class Family:
    """The descendants of the process *root*."""

    root: int
    _strangers: set[int] = field(default_factory=set)
    _looks: int = 0

    def members(self) -> list[Process]:
        """Return all descendants, as of now; a quick look that may miss a reused number."""
        self._looks += 1
        if self._looks % _AFRESH == 0:
            self._strangers.clear()
        return self._members()[0]

    def surely(self) -> list[Process]:
        """Return all descendants; looks again where one could not be told from a stranger."""
        for _ in range(_ATTEMPTS):
            self._strangers.clear()
            found, certain = self._members()
            if certain:
                break
        return found

    def _members(self) -> tuple[list[Process], bool]:
        """Return descendants, and whether each process seen is surely one or surely none.

        One whose parent ended between two reads belongs to nobody: it is neither.
        """
        pids = {int(name) for name in os.listdir("/proc") if name.isdecimal()}
        self._strangers &= pids
        seen = {p.pid: p for pid in pids - self._strangers if (p := look(pid)) is not None}
        kin: dict[int, bool | None] = dict.fromkeys(self._strangers, False)
        kin |= {self.root: True, 0: False}
        for pid in seen:
            self._settle(pid, seen, kin)
        self._strangers |= {pid for pid in seen if kin[pid] is False}
        found = [process for pid, process in seen.items() if kin[pid] and pid != self.root]
        return found, None not in kin.values()

    @staticmethod
    def _settle(pid: int, seen: dict[int, Process], kin: dict[int, bool | None]) -> None:
        """Say of *pid* and those above it whether they are descendants; None: cannot be told."""
        path: list[int] = []
        while pid not in kin and pid in seen and pid not in path:
            path.append(pid)
            pid = seen[pid].parent
        answer = kin.get(pid)
        kin.update(dict.fromkeys(path, answer))


def send(processes: Iterable[Process], number: int) -> None:
    """Send the signal to each process."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)


def _send_groups(processes: Iterable[Process], number: int) -> None:
    """Send the signal to each group: all of one get it at once, also those that fork just now.

    Whoever is started below us begins with a session of its own, so that nobody else is in
    these groups; ours is the one exception.
    """
    for group in {process.group for process in processes} - {os.getpgrp(), 0}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def end_all(family: Family, reap: Callable[[], bool]) -> None:
    """Kill all of *family* until none is left.

    *reap* takes the status of children that ended and tells whether there are others. Only
    that is proof: a look at /proc may miss one that forks and ends again and again, while
    the children of a subreaper cannot all be gone as long as anything lives below it.
    """
    pause = 0.001
    while reap():
        living = _stopped(family)
        if not living:
            _hunt(family)
        _send_groups(living, signal.SIGKILL)
        send(living, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _stopped(family: Family) -> list[Process]:
    """Stop all before any is killed: what runs may go on to fork, what stands cannot."""
    known: set[int] = set()
    living = [process for process in family.surely() if process.living]
    while new := [process for process in living if process.pid not in known]:
        _send_groups(new, signal.SIGSTOP)
        send(new, signal.SIGSTOP)
        known |= {process.pid for process in new}
        living = [process for process in family.members() if process.living]
    return living


def _hunt(family: Family) -> None:
    """Stop what is gone before a list of all processes is read: look at the newest alone."""
    for _ in range(_TRIES):
        with open("/proc/loadavg", "rb", buffering=0) as file:
            newest = int(file.read(128).split()[4])
        for pid in (newest, newest - 1, newest + 1):
            process = look(pid)
            if process is not None and process.living and process.parent == family.root:
                send([process], signal.SIGSTOP)
                return
