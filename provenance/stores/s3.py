"""A shelf in a bucket: Amazon S3, or whatever speaks its protocol."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from provenance.errors import InvalidInputError, UnavailableError
from provenance.files import room_for
from provenance.stores.local import QUARANTINE
from provenance.stores.shelf import Item

_AT_ONCE = 8 * 1024 * 1024
"""Bytes of the largest file that is taken into memory to write it again."""
_RETRY: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}


class ObjectStoreMissingError(InvalidInputError):
    """Raised when artifacts are to be kept in a bucket and the library for it is not installed."""

    code = "object_store_missing"


class BucketError(UnavailableError):
    """Raised when the bucket does not answer, or refuses."""

    code = "bucket"


@dataclass(frozen=True)
class S3Shelf:
    """Files below a prefix of a bucket.

    A file is created by a conditional request where it must not replace another, so of two
    hosts that publish at once one learns that it came second.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What obstore has to know: credentials, region, endpoint; by obstore's names."""
    touch_lag: float = 24 * 3600.0
    """What is younger counts as just used: in a bucket, to touch a file is to write it again."""

    @cached_property
    def _library(self) -> Any:
        try:
            import obstore
            import obstore.exceptions
        except ImportError as error:
            raise ObjectStoreMissingError(
                f"Artifacts are to be kept in {self.url}, and obstore is not installed.",
                "Install it with `pip install 'provenote[s3]'`.",
            ) from error
        return obstore

    @cached_property
    def _bucket(self) -> Any:
        _ = self._library
        from obstore.store import S3Store

        plain = self.options.get("endpoint", "").startswith("http://")
        with self._answers("it to be opened", may_be_absent=False):
            config: Any = dict(self.options)
            client: Any = {"allow_http": plain}
            return S3Store.from_url(
                self.url, config=config, client_options=client, retry_config=_RETRY
            )

    @contextmanager
    def _answers(self, name: str, *, may_be_absent: bool = True) -> Iterator[None]:
        """Turn what the library says into what we say.

        Where a file is not asked for but written, only the bucket itself can be absent.
        """
        library = self._library.exceptions
        try:
            yield
        except library.AlreadyExistsError:
            raise FileExistsError(name) from None
        except (library.BaseError, FileNotFoundError) as error:
            absent = isinstance(error, library.NotFoundError | FileNotFoundError)
            if absent and may_be_absent:
                raise FileNotFoundError(name) from None
            told = str(error).splitlines()[0][:300]
            raise BucketError(
                f"The bucket {self.url} does not do what is needed for {name}: {told}",
                "Is its address right, and do the AWS_… variables allow to read and write it?",
            ) from error

    def _head(self, name: str) -> Any | None:
        try:
            with self._answers(name):
                return self._library.head(self._bucket, name)
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""
        return self._head(name) is not None

    def read(self, name: str) -> bytes:
        """Return the file's bytes; raise FileNotFoundError."""
        with self._answers(name):
            return bytes(self._library.get(self._bucket, name).bytes())

    def fetch(self, name: str, target: Path) -> None:
        """Write the file's bytes to the new file *target*; raise FileNotFoundError."""
        with self._answers(name):
            found = self._library.get(self._bucket, name)
            with room_for(target), target.open("xb") as writer:
                for chunk in found.stream():
                    writer.write(chunk)

    def write(self, name: str, data: bytes, *, replace: bool) -> None:
        """Write a file; without *replace*, FileExistsError is raised where there is one."""
        mode = "overwrite" if replace else "create"
        with self._answers(name, may_be_absent=False):
            # In one request: a file in parts could not be created on a condition.
            self._library.put(self._bucket, name, data, mode=mode, use_multipart=False)

    def adopt(self, name: str, staged: Path) -> None:
        """Take the file at *staged*, which is whole and synced, away from there and keep it."""
        found = self._head(name)
        if found is None or _age(found) > self.touch_lag:
            with self._answers(name, may_be_absent=False):
                self._library.put(self._bucket, name, staged)
        staged.unlink()

    def touch(self, name: str) -> bool:
        """Let the file count as used now; False where it is gone."""
        found = self._head(name)
        if found is None:
            return False
        if _age(found) <= self.touch_lag:
            return True
        return self._renew(name) if found["size"] <= _AT_ONCE else self._renew_large(name)

    def _renew(self, name: str) -> bool:
        """Write the file again as it is, unless another writes it between our look and our write.

        The protocol copies no file onto itself, but it writes one on the condition that it is
        still the one that was read. Who lost has nothing to do: what is there now is newer.
        """
        put, lost = self._library.put, self._library.exceptions.PreconditionError
        try:
            with self._answers(name), suppress(lost):
                found = self._library.get(self._bucket, name)
                same: Any = {"e_tag": found.meta["e_tag"]}
                put(self._bucket, name, found.bytes(), mode=same, use_multipart=False)
                return True
        except FileNotFoundError:
            return False
        return self.exists(name)

    def _renew_large(self, name: str) -> bool:
        """Write the file again by way of the disk; only objects are large, and never change."""
        with TemporaryDirectory() as folder:
            kept = Path(folder, "kept")
            try:
                self.fetch(name, kept)
            except FileNotFoundError:
                return False
            with self._answers(name, may_be_absent=False):
                self._library.put(self._bucket, name, kept)
        return True

    def digest(self, name: str) -> str:
        """Return the SHA-256 of the file's bytes as they are now; raise FileNotFoundError."""
        hasher = hashlib.sha256()
        with self._answers(name):
            for chunk in self._library.get(self._bucket, name).stream():
                hasher.update(chunk)
        return hasher.hexdigest()

    def items(self, prefix: str) -> Iterator[Item]:
        """Yield what lies below *prefix*, in no order."""
        with self._answers(prefix, may_be_absent=False):
            pages = list(self._library.list(self._bucket, prefix, chunk_size=1000))
        for page in pages:
            for found in page:
                yield Item(found["path"], found["size"], found["last_modified"].timestamp())

    def discard(self, name: str, before: float = float("inf")) -> bool:
        """Remove the file unless it was written or touched since *before*; tell whether it went.

        A bucket cannot look and remove in one step. What is written anew in that moment is
        what nobody has used for as long as the grace lasts; whoever then misses it makes it
        again.
        """
        found = self._head(name)
        if found is None or found["last_modified"].timestamp() >= before:
            return False
        with self._answers(name):
            self._library.delete(self._bucket, name)
        return True

    def set_aside(self, name: str, sha256: str) -> str:
        """Move a file that does not have the digest *sha256* out of the way; say where to."""
        aside = f"{QUARANTINE}/{sha256}"
        try:
            if self.digest(name) != sha256:
                with self._answers(name):
                    self._library.rename(self._bucket, name, aside)
        except FileNotFoundError:
            pass  # it was put anew, or set aside by another
        return f"{self.url.rstrip('/')}/{aside}"


def _age(found: Any) -> float:
    return time.time() - float(found["last_modified"].timestamp())
