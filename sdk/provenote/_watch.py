"""What a tree of processes uses, and whether that is more than it may."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from provenote._family import Family, Process

SECONDS = 0.2
"""How often is looked, as a rule."""
_CLOSE_SECONDS = 0.04
"""How often where more than half of a limit is used: a page is touched quickly."""
_SHARE = 20
"""A look may take at most one part in so many of the time."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Limits:
    """How much a tree may use; None: as much as there is. Sizes in bytes."""

    memory: int | None = None
    processes: int | None = None
    disk: int | None = None
    disk_root: str | None = None
    """Directory whose growth counts against ``disk``."""
    open_files: int | None = None
    file_bytes: int | None = None
    """How large one file may become."""

    @classmethod
    def read(cls, told: Mapping[str, object]) -> Limits:
        """Return the limits of a message; what it does not name is not limited."""
        known = {name: told.get(name) for name in cls.__dataclass_fields__}
        return cls(**known)  # type: ignore[arg-type]


def hold(processes: Sequence[Process], limits: Limits) -> None:
    """Hold *processes*, and what they will start, to what the system itself can limit."""
    limited = {resource.RLIMIT_CORE: 0}
    if limits.open_files is not None:
        limited[resource.RLIMIT_NOFILE] = limits.open_files
    if limits.file_bytes is not None:
        limited[resource.RLIMIT_FSIZE] = limits.file_bytes
    for process in processes:
        for kind, most in limited.items():
            with contextlib.suppress(OSError, ValueError):
                hard = resource.prlimit(process.pid, kind)[1]
                allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.prlimit(process.pid, kind, (allowed, allowed))


@dataclass(frozen=True)
class Exceeded:
    """More was used than allowed: bytes, or a number of processes."""

    limit: str
    used: int
    allowed: int


@dataclass
class Watch:
    """Looks at *family* now and then; knows when it is due again."""

    family: Family
    limits: Limits
    due: float = 0.0
    _disk_due: float = 0.0
    _disk_before: int | None = None
    _close: bool = field(default=False)

    @property
    def needed(self) -> bool:
        """Whether there is anything that only looking can limit."""
        limits = self.limits
        return not limits.memory is limits.processes is limits.disk is None

    def look(self) -> Exceeded | None:
        """Return what is exceeded, if anything is; a costly look makes the next one later."""
        began = time.monotonic()
        self._close = False
        living = [process for process in self.family.members() if process.living]
        found = self._processes(living) or self._memory(living) or self._disk(began)
        ended = time.monotonic()
        pause = _CLOSE_SECONDS if self._close else SECONDS
        self.due = ended + max(pause, (ended - began) * _SHARE * (0.25 if self._close else 1.0))
        return found

    def _judge(self, limit: str, used: int, allowed: int) -> Exceeded | None:
        self._close = self._close or used > allowed // 2
        return Exceeded(limit, used, allowed) if used > allowed else None

    def _processes(self, living: Sequence[Process]) -> Exceeded | None:
        allowed = self.limits.processes
        return None if allowed is None else self._judge("processes", len(living), allowed)

    def _memory(self, living: Sequence[Process]) -> Exceeded | None:
        """Judge by the cheapest measure that can say "not too much".

        Processes that were forked share pages: counted in each they may be too many, and
        only the kernel's own division among those who share them, which is slow, tells.
        """
        allowed = self.limits.memory
        if allowed is None:
            return None
        used = 0
        for measure in (_resident, _own, _proportional):
            used = sum(measure(process.pid) for process in living)
            if used <= allowed:
                break
        return self._judge("memory", used, allowed)

    def _disk(self, now: float) -> Exceeded | None:
        allowed, root = self.limits.disk, self.limits.disk_root
        if allowed is None or root is None or now < self._disk_due:
            return None
        used = disk_usage(root)
        took = time.monotonic() - now
        self._disk_due = now + max(SECONDS, took * _SHARE)
        if self._disk_before is None:
            self._disk_before = used
        return self._judge("disk", max(0, used - self._disk_before), allowed)


def _resident(pid: int) -> int:
    """Return the bytes of memory that *pid* holds, those of files among them."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
            return int(file.read(256).split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _own(pid: int) -> int:
    """Return the same without pages of files, which the system may drop at any time."""
    return _kilobytes(f"/proc/{pid}/status", (b"RssAnon:", b"RssShmem:"))


def _proportional(pid: int) -> int:
    """Return the same, with each shared page divided among those who share it.

    A process can forbid others of its user to look: then all of its pages count as its own.
    """
    try:
        return _kilobytes(f"/proc/{pid}/smaps_rollup", (b"Pss_Anon:", b"Pss_Shmem:"))
    except PermissionError:
        return _own(pid)


def _kilobytes(path: str, names: Sequence[bytes]) -> int:
    """Return the sum of what a file of /proc has under *names*, in bytes; 0 of who is gone.

    Raises PermissionError.
    """
    try:
        with open(path, "rb") as file:
            lines = [line.split() for line in file if line.startswith(tuple(names))]
    except PermissionError:
        raise
    except OSError:
        return 0
    return sum(int(words[1]) for words in lines) * 1024


def disk_usage(root: str) -> int:
    """Return the bytes allocated below *root*; links are not followed, hard ones count once."""
    total, seen, folders = 0, set(), [root]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            continue  # removed meanwhile, or made unreadable by who owns it
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
                folder = entry.is_dir(follow_symlinks=False)
            except OSError:
                continue
            if folder:
                folders.append(entry.path)
            elif status.st_nlink > 1:
                place = (status.st_dev, status.st_ino)
                if place in seen:
                    continue
                seen.add(place)
            total += status.st_blocks * 512
    return total
