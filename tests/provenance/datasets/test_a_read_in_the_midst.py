"""Two writers, a reader, a rollback and a collector, all in the same partition at once."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provenance.datasets.errors import ConflictError
from provenance.datasets.moves import Move, rollback
from provenance.datasets.names import DATA
from provenance.datasets.pins import pin
from provenance.datasets.publish import pointer_of
from provenance.datasets.resolve import Reference, resolve
from provenance.gc import Collector, Keep
from provenance.ledger.data_tables import Batch
from provenance.ledger.engine import Ledger
from provenance.store import Store
from tests.provenance.datasets.making import DAY, put_forward, stage


def keep(store: Store, ledger: Ledger, content: str) -> Batch:
    blob = store.put_bytes(content.encode())
    return stage(ledger, sha256=blob.sha256, size=blob.size)


def make_old(store: Store, *digests: str) -> None:
    """Let objects look as if they had lain there for a year."""
    year_ago = time.time() - 365 * 86400
    for digest in digests:
        path = store.path(digest)
        os.utime(path, (year_ago, year_ago))


@contextmanager
def collecting(store: Store, ledger: Ledger) -> Iterator[list[int]]:
    """Clear the store again and again, without grace for anything old."""
    stop, rounds = threading.Event(), []

    def collect() -> None:
        while not stop.is_set():
            Collector(store, ledger, Keep(grace=60.0, days=0.0)).clear()
            rounds.append(1)

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield rounds
        seen = len(rounds)
        while len(rounds) < seen + 2:  # at least one whole round after all that happened
            time.sleep(0.01)
    finally:
        stop.set()
        thread.join()


def race(ledger: Ledger, rivals: list[Batch], seen: int) -> list[str]:
    """Let *rivals* be published at the same instant; return what became of each."""
    together, ended = threading.Barrier(len(rivals)), {}

    def write(batch: Batch) -> None:
        together.wait()
        try:
            put_forward(ledger, batch, seen)
            ended[batch.id] = "won"
        except ConflictError:
            ended[batch.id] = "conflict"

    threads = [threading.Thread(target=write, args=(batch,)) for batch in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ended[batch.id] for batch in rivals]


def test_a_reader_keeps_its_batch_whatever_happens_meanwhile(ledger: Ledger, tmp_path: Path):
    store = Store(tmp_path / "store")
    first = keep(store, ledger, "first")
    put_forward(ledger, first, 0)
    rivals = [keep(store, ledger, name) for name in ("left", "right")]
    with ledger.writing() as session:
        pin(session, first.id, "ada", "a paper")
    orphan = store.put_bytes(b"nobody names it").sha256
    make_old(store, first.sha256, *(one.sha256 for one in rivals), orphan)

    with collecting(store, ledger) as rounds:
        with ledger.reading() as session:
            [read] = resolve(session, Reference(DATA, "sold", DAY))
            ends = race(ledger, rivals, seen=1)
            assert store.read(read.sha256) == b"first"
        assert sorted(ends) == ["conflict", "won"]
        with ledger.writing() as session:
            event = rollback(session, Move("sold", "bob", "both were wrong", partition=DAY))
    assert len(rounds) >= 2

    winner = rivals[ends.index("won")]
    assert (event.version, event.from_batch, event.to_batch) == (3, winner.id, first.id)
    with ledger.reading() as session:
        assert pointer_of(session, DATA, "sold", DAY).batch_id == first.id
    assert not store.has(orphan)
    for batch, content in zip([first, *rivals], (b"first", b"left", b"right"), strict=True):
        assert store.read(batch.sha256) == content
