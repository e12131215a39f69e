"""The files of one commit or working tree, as a thing that can only be read."""

import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from provenance.errors import InvalidInputError, NotFoundError


class TreeError(InvalidInputError):
    """Raised when a path in a tree may not be read: it leaves the tree, or is too large."""

    code = "tree"


class MissingFileError(NotFoundError):
    """Raised when a tree holds no such file."""

    code = "missing_file"


MAX_FILE_BYTES = 64 * 1024 * 1024


class Tree(Protocol):
    """Tracked files by their path from the root, with ``/`` between the parts."""

    @property
    def files(self) -> frozenset[str]:
        """Paths of all tracked files."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of *path*; raise MissingFileError or TreeError."""
        ...


def contained(root: Path, path: str, real: str | None = None) -> Path:
    """Return *path* below *root*, refusing any that leads out of it, symlinks included.

    *real* is where *root* itself leads, for whoever knows.
    """
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in parts:
        raise TreeError(f"{path!r} is not a path inside the project.")
    real = real or os.path.realpath(root)
    # Plain texts: a Path at each step costs more than the system's own work.
    resolved = os.path.realpath(f"{root}/{path}")
    if resolved != real and not resolved.startswith(f"{real.rstrip('/')}/"):
        raise TreeError(
            f"{path} is a link that leads out of the project.",
            "Put the file itself into the repository.",
        )
    return Path(resolved)


@dataclass(frozen=True)
class DirectoryTree:
    """The tracked files below a directory on this machine."""

    root: Path
    tracked: frozenset[str]

    @property
    def files(self) -> frozenset[str]:
        """Paths of all tracked files."""
        return self.tracked

    def read(self, path: str) -> bytes:
        """Return the content of the file at *path*."""
        if path not in self.tracked:
            raise MissingFileError(f"{path} is not in the project.")
        full = contained(self.root, path, self._real)
        try:
            status = full.stat()
        except (FileNotFoundError, NotADirectoryError):
            status = None
        if status is None or not stat.S_ISREG(status.st_mode):
            raise MissingFileError(f"{path} is not in the project.")
        if status.st_size > MAX_FILE_BYTES:
            raise TreeError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB.")
        return full.read_bytes()

    @cached_property
    def _real(self) -> str:
        # A root that is moved afterwards makes reading fail, never lead elsewhere.
        return os.path.realpath(self.root)


@dataclass(frozen=True)
class OneLook(DirectoryTree):
    """The same files, each read once: for whoever looks only, while nothing is executed."""

    seen: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    def read(self, path: str) -> bytes:
        """Return the content that the file at *path* had at first."""
        if path not in self.seen:
            self.seen[path] = super().read(path)
        return self.seen[path]


@dataclass(frozen=True)
class MemoryTree:
    """Files held in memory: those of a commit that were read ahead, or a test's."""

    content: dict[str, bytes]

    @cached_property
    def files(self) -> frozenset[str]:
        """Paths of all tracked files."""
        return frozenset(self.content)

    def read(self, path: str) -> bytes:
        """Return the content of the file at *path*."""
        try:
            return self.content[path]
        except KeyError:
            raise MissingFileError(f"{path} is not in the project.") from None
