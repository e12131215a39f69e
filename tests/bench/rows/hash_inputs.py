"""Hashing a large input, against ``sha256sum``."""

import random
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from provenance.identity.sources import FileFacts
from provenance.stores.local import LocalShelf
from tests.bench.commands import plain_environ, run
from tests.bench.figures import BYTES_A_SECOND, Figure, Goal, Table
from tests.bench.place import Place
from tests.bench.rounds import measured

_BYTES, _CHUNK = 1_000_000_000, 10_000_000
_PEER, _OURS = "sha256sum", "provenote, a file that is looked at"
_KEPT = "provenote, an object that is laid down"
_SHARE = 0.9
_WORDS = "A file of 1 GB whose content is in the disk's cache; nothing is remembered of it."


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the tables."""
    sha256sum = shutil.which("sha256sum")
    if sha256sum is None:
        place.leave_out("sha256sum", "it is not installed here")
        return
    path = _large_file(place.new("hash"))
    try:
        found = measured(
            {
                _PEER: partial(_of_peer, sha256sum, path),
                _OURS: lambda: _nothing(FileFacts().exact(str(path))),
                _KEPT: lambda: _nothing(LocalShelf(path.parent).digest(path.name)),
            }
        )
    finally:
        path.unlink()
    peer, *ours = found.values()
    slowest = max(figure.median for figure in ours)
    goal = Goal("hashing, rate of sha256sum", peer.median / slowest, _SHARE, at_least=True)
    rates = [Figure.of(one.name, [_BYTES / one.median], BYTES_A_SECOND) for one in found.values()]
    yield Table("i", "Hashing 1 GB", tuple(found.values()), (goal,), _WORDS)
    yield Table("i", "The rates of it", tuple(rates))


def _of_peer(sha256sum: str, path: Path) -> None:
    run([sha256sum, path], path.parent, plain_environ())


def _nothing(digest: str | None) -> None:
    if digest is None or len(digest) != 64:
        raise SystemExit(f"The large file was not hashed: {digest}")


def _large_file(folder: Path) -> Path:
    path, chance = folder / "large", random.Random(1)
    with path.open("wb") as file:
        for _ in range(_BYTES // _CHUNK):
            file.write(chance.randbytes(_CHUNK))
    return path
