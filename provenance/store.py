"""Content-addressed objects: immutable files, named by the SHA-256 of their bytes."""

import contextlib
import hashlib
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provenance.errors import NotFoundError, UnavailableError
from provenance.files import durable_file, sync_directory

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024


class MissingObjectError(NotFoundError):
    """Raised when the store holds no object with the digest asked for."""

    code = "missing_object"


class CorruptObjectError(UnavailableError):
    """Raised when an object's bytes no longer have the digest that names them.

    The object was set aside: from now on it is missing, and what made it makes it again.
    """

    code = "corrupt_object"


@dataclass(frozen=True)
class Blob:
    """An object in the store."""

    sha256: str
    size: int


class Store:
    """Objects below ``objects/``, in a local directory.

    Local files are written by us rather than by an object-store library because a write
    must be synced to disk before its row may name it, and the libraries do not sync.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Return where the object is or would be; refuse what is no digest."""
        if not _SHA256.fullmatch(sha256):
            raise MissingObjectError(f"{sha256!r} is no SHA-256 digest.")
        return self.root / "objects" / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Tell whether the object is there."""
        return self.path(sha256).is_file()

    def put_bytes(self, data: bytes) -> Blob:
        """Keep *data*; keeping the same bytes again changes nothing."""
        blob = Blob(hashlib.sha256(data).hexdigest(), len(data))
        target = self.path(blob.sha256)
        if not target.exists():
            with durable_file(target) as handle:
                handle.write(data)
        return blob

    def put_file(self, source: Path) -> Blob:
        """Keep a copy of the file at *source*, hashed while it is copied."""
        hasher, size = hashlib.sha256(), 0
        staged = self.root / "incoming" / uuid.uuid4().hex
        with source.open("rb") as reader, durable_file(staged) as writer:
            while chunk := reader.read(_CHUNK):
                hasher.update(chunk)
                writer.write(chunk)
                size += len(chunk)
        blob = Blob(hasher.hexdigest(), size)
        target = self.path(blob.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
        sync_directory(target.parent)
        return blob

    def open(self, sha256: str) -> BinaryIO:
        """Open the object for reading; raise MissingObjectError where there is none."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            raise MissingObjectError(f"The store holds no object {sha256}.") from None

    def read(self, sha256: str) -> bytes:
        """Return the object's bytes, checked against its digest."""
        with self.open(sha256) as handle:
            data = handle.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise self._set_aside(sha256)
        return data

    def copy_out(self, sha256: str, target: Path) -> None:
        """Copy the object to *target*, writable there, checked; the original stays untouched."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.open(sha256) as reader, target.open("xb") as writer:
            shutil.copyfileobj(reader, writer, _CHUNK)
        if _digest(target) != sha256:
            target.unlink()
            raise self._set_aside(sha256)

    def _set_aside(self, sha256: str) -> CorruptObjectError:
        """Move a broken object out of the way, unless it was put anew meanwhile."""
        broken, aside = self.path(sha256), self.root / "quarantine" / sha256
        aside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if _digest(broken) != sha256:
                broken.replace(aside)
        return CorruptObjectError(
            f"Object {sha256} no longer has the bytes it is named for.",
            f"It was moved to {aside}; is the disk in order? What it held is made anew.",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
