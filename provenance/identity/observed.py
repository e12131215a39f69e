"""Which files of the checkout a job was seen to open, and whether they are still the same.

The log was written beside users' code, so nothing in it is believed: a line that is not what
the SDK writes is passed over, and no path leads out of the checkout.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath

from provenance.identity.sources import Directory, FileFacts, OutsideLinkError

_REMEMBERED = FileFacts()
_MOST_LINES = 10_000
_MOST_BYTES = 1 << 20
_LONGEST_PATH = 4_096
_TICK_SECONDS = 0.01
"""File systems stamp with the kernel's coarse clock, which runs behind by up to this."""
_NOT_LISTED = frozenset({"__pycache__", ".git"})
OUTSIDE = "outside"
"""Stands for the content of a path that leads out of the checkout: it equals no digest."""


@dataclass(frozen=True)
class Observed:
    """What a job opened in the checkout beyond its closure, and what changed meanwhile.

    ``files`` has the SHA-256 of each file that was read, None where there was none; for a
    directory that was listed, by its path with a slash, the digest of its names. ``wrote``
    are files that the job wrote into the checkout, ``changed`` those of its closure, or that
    it read, that have changed since it began. ``complete`` is False where more was opened
    than is told: too many files, or some outside through a link. With ``changed`` or without
    ``complete`` the result is tainted: nobody knows what it stands on.
    """

    files: dict[str, str | None]
    wrote: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    complete: bool = True

    @property
    def is_sure(self) -> bool:
        """Whether the result may be reused where ``files`` are the same."""
        return self.complete and not self.changed


def read_observed(log: bytes, root: Path, closure: Iterable[str], since: float) -> Observed:
    """Read the *log* of a job that ended, and hash what it opened below *root*.

    Files of the *closure* are not among them: the key holds these. It is only looked whether
    they changed: what was edited and put back has its old key, and nobody knows which of the
    two the job saw. *since* is when the job began, in seconds as ``time.time()`` gives them.
    """
    read, wrote, first_written, told_whole = _paths(log)
    known = frozenset(closure)
    current = current_digest(root)
    files: dict[str, str | None] = {}
    changed = [path for path in sorted(known) if _is_changed(root / path, since)]
    changed += [path for path in _folders(known) if _is_moved(root / path, since)]
    for path in read:
        if path in known:
            continue
        if not _is_text(path):
            told_whole = False  # no record can name it
            continue
        found = current(path)
        if found == OUTSIDE:
            told_whole = False
        elif _is_changed(root / path, since):
            # What the job had written before it read it is its own; an attempt to write may
            # have failed, so the time decides.
            changed += [path] if path not in first_written else []
        else:
            files[path] = found
    return Observed(files, tuple(filter(_is_text, wrote)), tuple(changed), told_whole)


def current_digest(root: Path, facts: FileFacts = _REMEMBERED) -> Callable[[str], str | None]:
    """Return what tells the SHA-256 that a path below *root* has now.

    It gives None for what is no file, the digest of the names for a directory's path with a
    slash at its end, and ``OUTSIDE`` for what leads out of *root*. It is good for one look: it
    remembers which directories lead where.
    """
    directory = Directory(root, facts)

    def current(path: str) -> str | None:
        try:
            return _listing(directory, path) if path.endswith("/") else directory.exact(path)
        except OutsideLinkError:
            return OUTSIDE
        except OSError:
            return OUTSIDE  # it cannot be read: what it holds is not known

    return current


def _listing(directory: Directory, path: str) -> str | None:
    folder = "" if path == "./" else path.rstrip("/")
    if folder:
        directory.exact(folder)  # refuses what leads out
    full = directory.root / folder
    if not full.is_dir():
        return None
    names = directory.listing(folder)
    told = sorted(
        f"{name}/" if is_directory else name
        for name, is_directory in names.items()
        if name not in _NOT_LISTED
    )
    text = "\0".join(told).encode("utf-8", "surrogatepass")
    return hashlib.sha256(b"listing:v1\n" + text).hexdigest()


def _is_changed(path: Path, since: float) -> bool:
    times: list[float] = []
    # A link that was turned elsewhere has a time of its own.
    for look in (path.lstat, path.stat):
        with suppress(OSError):
            status = look()
            times += [status.st_mtime, status.st_ctime]
    return any(moment > since - _TICK_SECONDS for moment in times)


def _folders(paths: Iterable[str]) -> list[str]:
    """Return the folders that *paths* lie in, up to the root."""
    found = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    return sorted(found - {"."})


def _is_moved(folder: Path, since: float) -> bool:
    """Whether a folder was taken away and put back: its files keep their times then.

    Moving it touches its own status alone; what comes or goes in it is its content as well,
    and that is looked for elsewhere.
    """
    with suppress(OSError):
        status = folder.lstat()
        after = since - _TICK_SECONDS
        return status.st_ctime > after >= status.st_mtime
    return False


def _paths(log: bytes) -> tuple[list[str], list[str], set[str], bool]:
    """Return what was read, what was written, what was written first, and if that is all."""
    lines = log[:_MOST_BYTES].split(b"\n", _MOST_LINES)
    complete = len(log) <= _MOST_BYTES and not any(lines[_MOST_LINES:])
    read: dict[str, None] = {}
    wrote: dict[str, None] = {}
    first_written: set[str] = set()
    for path, written in filter(None, map(_line, lines[:_MOST_LINES])):
        (wrote if written else read)[path] = None
        if written and path not in read:
            first_written.add(path)
    return list(read), list(wrote), first_written, complete


def _line(line: bytes) -> tuple[str, bool] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    path = told.get("path") if isinstance(told, dict) else None
    if not isinstance(path, str) or not _is_inside(path):
        return None
    return path, told.get("wrote") is True


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_inside(path: str) -> bool:
    if path == "./":
        return True
    plain = path[:-1] if path.endswith("/") else path
    try:
        os.fsencode(plain)
    except UnicodeEncodeError:
        return False
    return (
        0 < len(plain) <= _LONGEST_PATH
        and "\0" not in plain
        and not plain.startswith(("/", "../"))
        and plain not in (".", "..")
        and normpath(plain) == plain
    )
