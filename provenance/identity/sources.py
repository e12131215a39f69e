"""Reading files below a root: never through a link that leaves it, and each content once."""

import errno
import hashlib
import os
import stat
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from provenance.errors import InvalidInputError
from provenance.identity.syntax import PythonFacts, read_python

_T = TypeVar("_T")

_REMEMBERED_FILES = 50_000
_REMEMBERED_SOURCES = 10_000
_TICK_NS = 100_000_000
_COARSE_TICK_NS = 2_000_000_000
_ATTEMPTS = 3
_NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
"""What the system says of a path at which there is no file: links may lead round in a circle."""


class OutsideLinkError(InvalidInputError):
    """Raised when a file of the project is a link that leads out of the project."""

    code = "outside_link"


@dataclass
class FileFacts:
    """Remembers, within this process, the hash of each file and what each source says.

    Hashes are kept by (device, inode, size, mtime, ctime): an edit of equal size with its
    mtime put back still moves the ctime. What a source says is kept by its content, so a
    fresh checkout is hashed again but not parsed again.
    """

    _exact: dict[Hashable, str] = field(default_factory=dict)
    _python: dict[Hashable, PythonFacts] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def exact(self, path: str) -> str | None:
        """Return the SHA-256 of the regular file at *path*; None where there is none."""
        try:
            status = os.stat(path)  # noqa: PTH116  # a Path per file costs more than the call
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return self._exact.get(_identity(status)) or self._hash(path)

    def python(self, path: str) -> tuple[str, PythonFacts] | None:
        """Return the hash of the source at *path* with what it says."""
        for _ in range(_ATTEMPTS):
            exact = self.exact(path)
            if exact is None:
                return None
            if (known := self._python.get(exact)) is not None:
                return exact, known
            content = Path(path).read_bytes()
            if hashlib.sha256(content).hexdigest() == exact:
                break
        facts = read_python(content)
        exact = hashlib.sha256(content).hexdigest()
        self._remember(self._python, exact, facts)
        return exact, facts

    def _hash(self, path: str) -> str:
        for _ in range(_ATTEMPTS):
            with Path(path).open("rb") as file:
                before = _identity(os.fstat(file.fileno()))
                found = hashlib.file_digest(file, "sha256").hexdigest()
                status = os.fstat(file.fileno())
            if _identity(status) == before:
                break
        if _identity(status) == before and _is_settled(status):
            self._remember(self._exact, before, found)
        return found

    def _remember(self, known: dict[Hashable, _T], name: Hashable, value: _T) -> None:
        with self._lock:
            known[name] = value
            if len(known) > (_REMEMBERED_SOURCES if known is self._python else _REMEMBERED_FILES):
                del known[next(iter(known))]


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads round in a circle


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _is_settled(status: os.stat_result) -> bool:
    """Whether a later edit must move the ctime: within one tick of the clock it need not."""
    coarse = status.st_ctime_ns % 1_000_000 == 0
    return time.time_ns() - status.st_ctime_ns > (_COARSE_TICK_NS if coarse else _TICK_NS)


@dataclass
class Directory:
    """The files below *root* as they are now; one object serves one look at them."""

    root: Path
    facts: FileFacts
    _inside: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._root = str(self.root)

    @cached_property
    def _real(self) -> str:
        return os.path.realpath(self._root)

    def exact(self, path: str) -> str | None:
        """Return the SHA-256 of the file at *path* below the root; None where there is none."""
        return self.facts.exact(self._contained(path))

    def python(self, path: str) -> tuple[str, PythonFacts] | None:
        """Return the hash of the source at *path* below the root, and what it says."""
        return self.facts.python(self._contained(path))

    def listing(self, path: str) -> dict[str, bool]:
        """Return the names in a directory, True for those that are directories themselves."""
        full = f"{self._root}/{path}" if path else self._root
        try:
            with os.scandir(full) as entries:
                found = {entry.name: _is_directory(entry) for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        self._require_inside(full, path)
        return found

    def _contained(self, path: str) -> str:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or "\0" in path:
            raise OutsideLinkError(f"{path!r} is no path inside the project.")
        full = f"{self._root}/{path}"
        self._require_inside(full.rpartition("/")[0], path)
        if os.path.islink(full):  # noqa: PTH114
            self._require_inside(full, path)
        return full

    def _require_inside(self, full: str, path: str) -> None:
        inside = self._inside.get(full)
        if inside is None:
            real = os.path.realpath(full)
            inside = real == self._real or real.startswith(f"{self._real}/")
            self._inside[full] = inside
        if not inside:
            raise OutsideLinkError(
                f"{path} leads out of the project through a link.",
                "Put the file itself into the repository.",
            )
