"""A shelf in a directory of this machine, or of a file system that several mount."""

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from provenance.files import TEMPORARY_PREFIX, make_folder, sync_directory, write_durably
from provenance.stores.shelf import Item

QUARANTINE = "quarantine"


class LocalShelf:
    """Files below a directory.

    They are written by us rather than by an object-store library because a write must be
    synced to disk before its row may name it, and the libraries do not sync.
    """

    touch_lag = 0.0

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, name: str) -> Path:
        """Return where the file of that name is or would be."""
        return self.root / name

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""
        return self.place(name).is_file()

    def read(self, name: str) -> bytes:
        """Return the file's bytes; raise FileNotFoundError."""
        return self.place(name).read_bytes()

    def fetch(self, name: str, target: Path) -> None:
        """Write the file's bytes to the new file *target*; raise FileNotFoundError."""
        with self.place(name).open("rb") as reader, target.open("xb") as writer:
            shutil.copyfileobj(reader, writer)

    def write(self, name: str, data: bytes, *, replace: bool) -> None:
        """Write a file; without *replace*, FileExistsError is raised where there is one."""
        write_durably(self.place(name), data, replace=replace)

    def adopt(self, name: str, staged: Path) -> None:
        """Take the file at *staged*, which is whole and synced, away from there and keep it."""
        target = self.place(name)
        make_folder(target.parent)
        staged.replace(target)
        sync_directory(target.parent)

    def touch(self, name: str) -> bool:
        """Let the file count as used now; False where it is gone."""
        if not self.exists(name):
            return False  # a folder of that name, such as a key's, is no file of that name
        try:
            os.utime(self.place(name))
        except FileNotFoundError:
            return False
        except PermissionError:
            return self.exists(name)  # it is another user's, and ages as that one uses it
        return True

    def digest(self, name: str) -> str:
        """Return the SHA-256 of the file's bytes as they are now; raise FileNotFoundError."""
        with self.place(name).open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    def items(self, prefix: str) -> Iterator[Item]:
        """Yield what lies below *prefix*, temporary files too, in no order."""
        start = self.place(prefix)
        if start.is_file():
            yield from self._item(start)
            return
        for folder, _, names in os.walk(start):
            for name in names:
                yield from self._item(Path(folder, name))

    def _item(self, path: Path) -> Iterator[Item]:
        with contextlib.suppress(FileNotFoundError):
            found = path.lstat()
            yield Item(path.relative_to(self.root).as_posix(), found.st_size, found.st_mtime)

    def discard(self, name: str, before: float = float("inf")) -> bool:
        """Remove the file unless it was written or touched since *before*; tell whether it went.

        It is moved away before its age is looked at again: whoever touches it later is told
        that it is gone, and writes it anew. One that was touched in between is put back.
        """
        path = self.place(name)
        aside = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
        try:
            if path.lstat().st_mtime >= before:
                return False
            path.rename(aside)
        except FileNotFoundError:
            return False
        old = aside.lstat().st_mtime < before
        if not old:
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()
        return old

    def set_aside(self, name: str, sha256: str) -> str:
        """Move a file that does not have the digest *sha256* out of the way; say where to."""
        aside = self.root / QUARANTINE / sha256
        make_folder(aside.parent)
        # Unless it was put anew meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if self.digest(name) != sha256:
                self.place(name).replace(aside)
        return str(aside)
