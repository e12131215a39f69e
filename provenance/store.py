"""Content-addressed objects: immutable files, named by the SHA-256 of their bytes."""

import contextlib
import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provenance.errors import NotFoundError, UnavailableError
from provenance.files import copy_file, durable_file, make_folder
from provenance.stores.local import LocalShelf
from provenance.stores.shelf import Shelf

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024
OBJECTS = "objects"
INCOMING = "incoming"


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


def is_digest(text: str) -> bool:
    """Tell whether *text* is 64 hexadecimal digits, as a SHA-256 is written."""
    return _SHA256.fullmatch(text) is not None


def object_name(sha256: str) -> str:
    """Return what an object is called on a shelf; refuse what is no digest."""
    if not is_digest(sha256):
        raise MissingObjectError(f"{sha256!r} is no SHA-256 digest.")
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


class Store:
    """Objects below ``objects/`` of a shelf; by default of the directory *root* itself.

    With another shelf, a bucket, *root* holds copies of what was read from it, whose digests
    were checked when they came, so that an object is always a file that can be opened.
    """

    def __init__(self, root: Path, shelf: Shelf | None = None) -> None:
        self.root = root
        self._local = LocalShelf(root)
        self.shelf: Shelf = shelf or self._local
        self.is_remote = shelf is not None

    def path(self, sha256: str) -> Path:
        """Return where the object, or our copy of it, is or would be; refuse what is no digest."""
        return self._local.place(object_name(sha256))

    def has(self, sha256: str) -> bool:
        """Tell whether the object is there."""
        return self.shelf.exists(object_name(sha256))

    def keep(self, sha256: str) -> bool:
        """Let the object count as used now, so that it is not cleared away; False if it is gone."""
        return self.shelf.touch(object_name(sha256))

    def put_bytes(self, data: bytes) -> Blob:
        """Keep *data*; keeping the same bytes again changes nothing but their age."""
        blob = Blob(hashlib.sha256(data).hexdigest(), len(data))
        name = object_name(blob.sha256)
        if not self.shelf.touch(name):
            self.shelf.write(name, data, replace=True)
        return blob

    def put_file(self, source: Path) -> Blob:
        """Keep a copy of the file at *source*, hashed while it is copied."""
        hasher, size = hashlib.sha256(), 0
        staged = self.root / INCOMING / uuid.uuid4().hex
        with source.open("rb") as reader, durable_file(staged) as writer:
            while chunk := reader.read(_CHUNK):
                hasher.update(chunk)
                writer.write(chunk)
                size += len(chunk)
        blob = Blob(hasher.hexdigest(), size)
        self.shelf.adopt(object_name(blob.sha256), staged)
        return blob

    def open(self, sha256: str) -> BinaryIO:
        """Open the object for reading; raise MissingObjectError where there is none."""
        path = self.path(sha256)
        try:
            return path.open("rb")
        except FileNotFoundError:
            if not self.is_remote:
                raise MissingObjectError(f"The store holds no object {sha256}.") from None
        self._fetch(sha256)
        return path.open("rb")

    def read(self, sha256: str) -> bytes:
        """Return the object's bytes, checked against its digest."""
        for _ in self._attempts(sha256):
            with self.open(sha256) as handle:
                data = handle.read()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        raise self.set_aside(sha256)

    def peek(self, sha256: str) -> bytes | None:
        """Return the object's bytes; None where it is gone or broken. Nothing is touched."""
        for shelf in (self._local, self.shelf) if self.is_remote else (self.shelf,):
            with contextlib.suppress(FileNotFoundError, MissingObjectError):
                data = shelf.read(object_name(sha256))
                if hashlib.sha256(data).hexdigest() == sha256:
                    return data
        return None

    def copy_out(self, sha256: str, target: Path) -> None:
        """Lay the object at *target*, writable there, checked; the original stays untouched."""
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in self._attempts(sha256):
            with self.open(sha256) as reader:
                copy_file(reader, target)
            if _digest(target) == sha256:
                return
            target.unlink()
        raise self.set_aside(sha256)

    def _attempts(self, sha256: str) -> Iterator[None]:
        """Yield once; for a bucket a second time, after throwing our broken copy away."""
        yield
        if self.is_remote:
            self.path(sha256).unlink(missing_ok=True)
            yield

    def _fetch(self, sha256: str) -> None:
        """Bring the object from the shelf into our directory, if it is what its name says."""
        staged = self.root / INCOMING / uuid.uuid4().hex
        make_folder(staged.parent)
        try:
            self.shelf.fetch(object_name(sha256), staged)
            if _digest(staged) != sha256:
                raise self.set_aside(sha256)
            staged.chmod(0o444)
            self._local.adopt(object_name(sha256), staged)
        except FileNotFoundError:
            raise MissingObjectError(f"The store holds no object {sha256}.") from None
        finally:
            staged.unlink(missing_ok=True)

    def set_aside(self, sha256: str) -> CorruptObjectError:
        """Move a broken object out of the way, unless it was put anew meanwhile."""
        aside = self.shelf.set_aside(object_name(sha256), sha256)
        if self.is_remote:
            with contextlib.suppress(FileNotFoundError):
                self.path(sha256).unlink()
        return CorruptObjectError(
            f"Object {sha256} no longer has the bytes it is named for.",
            f"It was moved to {aside}; is the disk in order? "
            "Run it again: what was made by a run is then made anew.",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
