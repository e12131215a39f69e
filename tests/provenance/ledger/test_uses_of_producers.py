"""Of two records that gave the same bytes, only the one that was taken from is stood on."""

import pytest

from provenance.ledger.data_tables import Batch
from provenance.ledger.engine import Ledger
from provenance.ledger.queries.used_by import UnknownThingError, places_of
from tests.provenance.ledger.test_uses import FILE, World, digest_of, made
from tests.support.rows import add_project


@pytest.fixture
def world(ledger: Ledger) -> World:
    return World(ledger, add_project(ledger))


def test_what_took_the_same_bytes_from_another_record_does_not_stand_on_it(world: World) -> None:
    """Two records gave one content; what was published of it stands on the one it took from."""
    one, other, old, new, read = (digest_of(number) for number in range(5))
    file = {**FILE, "path": "data/bad.csv"}
    world.keep(one, made("raw", out="d" * 64, code={"files": [file]}))
    world.keep(other, made("raw", out="d" * 64))
    same = {"name": "raw", "sha256": "d" * 64}
    world.keep(old, made("sold", out="e" * 64, inputs=(same,)))  # names no record: it is older
    world.keep(new, made("sold", out="f" * 64, inputs=({**same, "producer_record": other},)))
    batches = [world.batch(sha256, record) for sha256, record in (("e" * 64, old), ("f" * 64, new))]
    for batch, record in zip(batches, (read, read[::-1]), strict=True):
        found = {"name": "sold", "sha256": "0" * 64, "batch": batch}
        world.keep(record, made("report", inputs=(found,)))
        world.run(record)
    assert world.ask("file", "data/bad.csv").batches == (batches[0],)
    world.keep(digest_of(9), made("sold", out="f" * 64, inputs=({**same, "producer_record": one},)))
    assert world.ask("record", one).batches == (batches[0],)


def test_a_record_that_was_taken_from_is_no_artifact(world: World) -> None:
    found = {"name": "raw", "sha256": "d" * 64, "producer_record": digest_of(7)}
    world.keep("a" * 64, made("sold", inputs=(found,)))
    with pytest.raises(UnknownThingError):
        world.ask("artifact", digest_of(7))


def test_batches_are_told_by_dataset_partition_and_number(world: World) -> None:
    batches = [world.batch(digest_of(number), None) for number in range(2)]
    with world.ledger.reading() as session:
        told = places_of(session, batches)
        names = [session.get_one(Batch, batch).partition.dataset.name for batch in batches]
    assert told == dict(zip(batches, [f"{name}/main #1" for name in names], strict=True))
