"""Processes that all want one key, and tell each step that they take."""

import time
from multiprocessing.connection import Connection
from pathlib import Path

from provenance.cache import Cache
from provenance.ledger.engine import Ledger
from provenance.ledger.leases import LeaseLostError, Leases
from provenance.store import Blob, Store
from provenance.stores.local import LocalShelf
from tests.provenance.making import output_of, record_of

KEY = "k" * 64


def race(line: Connection, root: Path, name: str) -> None:
    """Make the key unless somebody has; ``hang`` never ends to."""
    cache = Cache(Store(root))
    line.send("ready")
    line.recv()
    with cache.single_flight(KEY, lambda: None):
        if cache.lookup(KEY) is None:
            line.send("made")
            time.sleep(600 if name == "hang" else 0.3)
            cache.commit(record_of(KEY, output_of(cache.store.put_bytes(name.encode()))))


def fly(
    line: Connection, root: Path, url: str, name: str, host: str, seconds: float, stop_at: str
) -> None:
    """Make the key unless somebody has, under a lease; stand still at the step *stop_at*."""

    def tell(word: str) -> None:
        line.send(word)
        if word == stop_at:
            time.sleep(600)

    class Telling(Store):
        def put_bytes(self, data: bytes) -> Blob:
            tell("before")
            blob = super().put_bytes(data)
            tell("after")
            return blob

    store = Telling(root) if host == "here" else Telling(root / host, LocalShelf(root))
    cache = Cache(store, Leases(Ledger(url), host, seconds))
    tell("ready")
    line.recv()
    with cache.single_flight(KEY, lambda: None):
        if cache.lookup(KEY) is None:
            tell("making")
            line.recv()
            blob = store.put_bytes(name.encode())
            try:
                cache.commit(record_of(KEY, output_of(blob), run={"id": name}))
            except LeaseLostError:
                tell("refused")
            else:
                tell("published")
