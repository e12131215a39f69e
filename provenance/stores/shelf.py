"""What a place has to offer in which the store and the cache keep their files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Item:
    """One named file of a shelf."""

    name: str
    size: int
    modified: float
    """When it was written or last touched, in seconds since 1970."""


class Shelf(Protocol):
    """Files by name, such as ``objects/ab/ab12…``; each appears whole or not at all.

    What a name stands for is decided by those above: the store calls objects by their
    digest, the cache calls actions by their key.
    """

    @property
    def touch_lag(self) -> float:
        """Seconds by which the age of a file may be behind: touching it sooner changes nothing."""

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""

    def read(self, name: str) -> bytes:
        """Return the file's bytes; raise FileNotFoundError."""

    def fetch(self, name: str, target: Path) -> None:
        """Write the file's bytes to the new file *target*; raise FileNotFoundError."""

    def write(self, name: str, data: bytes, *, replace: bool) -> None:
        """Write a file; without *replace*, FileExistsError is raised where there is one."""

    def adopt(self, name: str, staged: Path) -> None:
        """Take the file at *staged*, which is whole and synced, away from there and keep it."""

    def touch(self, name: str) -> bool:
        """Let the file count as used now; False where it is gone."""

    def digest(self, name: str) -> str:
        """Return the SHA-256 of the file's bytes as they are now; raise FileNotFoundError."""

    def items(self, prefix: str) -> Iterator[Item]:
        """Yield what lies below *prefix*, temporary files too, in no order."""

    def discard(self, name: str, before: float = float("inf")) -> bool:
        """Remove the file unless it was written or touched since *before*; tell whether it went."""

    def set_aside(self, name: str, sha256: str) -> str:
        """Move a file that does not have the digest *sha256* out of the way; say where to."""
