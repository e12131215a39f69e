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
from provenance.holding import unheld
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
    days: float | None = None
    """How long one stays that nobody uses; None: as long as results do."""
    held: bool = False
    """Whether all who use one hold it: then others may go while work is under way."""
    whole: str | None = None
    """A file that each has that is whole; one without was never finished."""
    beside: tuple[str, ...] = ()
    """Endings of files that lie beside each one, and mean nothing without it."""


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


@dataclass(frozen=True)
class Ages:
    """Before which instants, in seconds, something has to be untouched so that it may go."""

    young: float
    """For what was never finished."""
    unused: float
    """For what may be used again."""


def unused_folders(place: Place, ages: Ages) -> Iterator[Garbage]:
    """Yield the folders of *place* that nobody holds, and that nobody made or used for long.

    Where *place* is a link, what it leads to may serve others as well, and stays.
    """
    ours = place.folder.is_dir() and not place.folder.is_symlink()
    folders = place.folder.glob("/".join("*" * place.depth)) if ours else ()
    for folder in folders:
        if not folder.is_dir() or folder.is_symlink():
            continue
        if _last_used(folder) < _before(place, folder, ages):
            with unheld(folder) as free:
                if free:
                    yield Garbage(place.kind, str(folder), size_of(folder), _why(place, folder))


def remove_stray(path: Path) -> bool:
    """Remove a file that lay beside a folder, unless somebody begins to use that again."""
    folder = path.with_name(path.name.partition(".")[0])
    with unheld(folder) as free:
        if free and not folder.exists():
            path.unlink(missing_ok=True)
            return True
    return False


def _is_whole(place: Place, folder: Path) -> bool:
    return place.whole is None or (folder / place.whole).exists()


def _before(place: Place, folder: Path, ages: Ages) -> float:
    return ages.unused if _is_whole(place, folder) else ages.young


def _why(place: Place, folder: Path) -> str:
    if _is_temporary(str(folder)):
        return "its maker is gone"
    return "not used for long" if _is_whole(place, folder) else "it was never finished"


def stray_files(place: Place, before: float) -> Iterator[Garbage]:
    """Yield what lay beside folders of *place* that are gone, and is older than *before*."""
    ours = place.beside and place.folder.is_dir() and not place.folder.is_symlink()
    for found in os.scandir(place.folder) if ours else ():
        stem, dot, ending = found.name.partition(".")
        if f"{dot}{ending}" not in place.beside or (place.folder / stem).exists():
            continue
        with contextlib.suppress(FileNotFoundError), unheld(place.folder / stem) as free:
            if free and found.stat().st_mtime < before:
                yield Garbage("trace", found.path, found.stat().st_size, "what it was of is gone")


def _last_used(folder: Path) -> float:
    """Return when the folder was made, or marked as used, whichever is later."""
    last = 0.0
    for path in (folder, use_marker(folder)):
        with contextlib.suppress(OSError):
            last = max(last, path.stat().st_mtime)
    return last


def size_of(folder: Path) -> int:
    """Return how many bytes the files below *folder* have."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def remove_folder(place: Place, folder: Path, ages: Ages) -> bool:
    """Remove a folder and all in it, read-only or not, unless somebody holds or has used it.

    It is out of its place in one step.
    """
    with unheld(folder) as free:
        if not free or _last_used(folder) >= _before(place, folder, ages):
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
