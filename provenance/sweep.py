"""What crashes and time leave behind: temporaries, locks, folders that nobody uses."""

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from provenance.files import TEMPORARY_PREFIX, use_marker
from provenance.store import INCOMING, OBJECTS, Store
from provenance.stores.local import LocalShelf


@dataclass(frozen=True)
class Garbage:
    """One thing that can go."""

    kind: str
    """``action``, ``object``, ``temporary``, ``copy``, ``lock``, or what a place is called."""
    name: str
    size: int
    why: str


@dataclass(frozen=True)
class Place:
    """A directory of folders that are made again when they are needed, such as checkouts."""

    kind: str
    folder: Path
    depth: int
    """How far below *folder* they lie."""


def left_behind(store: Store, before: float, unused_since: float) -> Iterator[Garbage]:
    """Yield what writers left that were killed, and old copies of what a bucket has."""
    local = LocalShelf(store.root)
    for item in local.items(INCOMING):
        if item.modified < before:
            yield Garbage("temporary", item.name, item.size, "its writer is gone")
    for folder in (OBJECTS, "actions", "quarantine"):
        for item in local.items(folder):
            if _is_temporary(item.name) and item.modified < before:
                yield Garbage("temporary", item.name, item.size, "its writer is gone")
            elif store.is_remote and folder == OBJECTS and item.modified < unused_since:
                yield Garbage("copy", item.name, item.size, "the bucket has it")


def _is_temporary(name: str) -> bool:
    return name.rpartition("/")[2].startswith(TEMPORARY_PREFIX)


def stale_locks(folder: Path, before: float) -> Iterator[Garbage]:
    """Yield the lock files that nobody holds."""
    with contextlib.suppress(FileNotFoundError):
        for found in os.scandir(folder):
            if not found.is_file(follow_symlinks=False) or found.stat().st_mtime >= before:
                continue
            with contextlib.suppress(Timeout), FileLock(found.path, timeout=0):
                yield Garbage("lock", found.path, 0, "nobody holds it")


def remove_lock(path: Path) -> bool:
    """Remove a lock file while holding it; one who waits for it notices and makes a new one."""
    try:
        with FileLock(path, timeout=0):
            path.unlink(missing_ok=True)
    except Timeout:
        return False
    return True


def unused_folders(place: Place, before: float) -> Iterator[Garbage]:
    """Yield the folders of *place* that were neither made nor used since *before*.

    Where *place* is a link, what it leads to may serve others as well, and stays.
    """
    ours = place.folder.is_dir() and not place.folder.is_symlink()
    folders = place.folder.glob("/".join("*" * place.depth)) if ours else ()
    for folder in folders:
        if folder.is_dir() and not folder.is_symlink() and _last_used(folder) < before:
            why = "its maker is gone" if _is_temporary(str(folder)) else "not used for long"
            yield Garbage(place.kind, str(folder), _size(folder), why)


def _last_used(folder: Path) -> float:
    """Return when the folder was made, or marked as used, whichever is later."""
    last = 0.0
    for path in (folder, use_marker(folder)):
        with contextlib.suppress(OSError):
            last = max(last, path.stat().st_mtime)
    return last


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def remove_folder(folder: Path, before: float) -> bool:
    """Remove a folder and all in it, read-only or not, unless it was used since *before*.

    It is out of its place in one step.
    """
    if _last_used(folder) >= before:
        return False
    aside = folder.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
    try:
        folder.chmod(stat.S_IRWXU)  # what may not be written into may not be renamed
        folder.rename(aside)
    except OSError:
        return False
    use_marker(folder).unlink(missing_ok=True)
    for parent, _, _ in os.walk(aside):
        os.chmod(parent, stat.S_IRWXU)  # noqa: PTH101 - before its own entries are listed
    shutil.rmtree(aside, ignore_errors=True)
    return True
