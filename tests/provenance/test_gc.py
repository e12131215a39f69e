"""Clearing away: what nothing leads to goes, what a row names stays, in a folder or a bucket."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from provenance.gc import Collector, Keep
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Batch, Dataset, Partition, Pin
from provenance.ledger.states import Status
from provenance.record import keep_record
from provenance.store import Store
from provenance.stores.local import LocalShelf
from tests.provenance.making import genuine_record
from tests.support.house import LONG_AGO, NOW, House, gone


def test_looking_touches_nothing_and_says_what_clearing_then_does(house: House) -> None:
    orphan = house.store.put_bytes(b"orphan").sha256
    house.commit(1, b"unused")
    house.age()
    before = sorted(house.store.root.rglob("*"))
    told = house.look()
    assert sorted(house.store.root.rglob("*")) == before
    done = house.clear()
    assert done.garbage == told.garbage
    assert orphan in gone(done, "object")
    assert len(gone(done, "object")) == 3
    assert len(gone(done, "action")) == 1
    assert list(house.store.root.rglob("objects/*/*")) == []
    assert house.look().garbage == []


def test_what_is_young_stays(house: House) -> None:
    orphan = house.store.put_bytes(b"orphan").sha256
    assert house.clear(Keep(grace=3600)).garbage == []
    assert house.store.has(orphan)


def test_what_a_row_names_stays_and_all_that_its_record_names(house: House) -> None:
    source = house.store.put_bytes(b"def build(): ...").sha256
    page = house.store.put_bytes(b"<html>").sha256
    record = genuine_record(house.store, 1, b"a figure", code={"files": [{"exact": source}]})
    record_id = keep_record(house.store, record).sha256
    house.run(record=record_id, html=page)
    house.age()
    assert house.clear().garbage == []
    assert house.store.has(record.outputs[0].sha256)
    assert house.store.has(source)


def test_a_batch_is_never_cleared_away(house: House) -> None:
    content = house.store.put_bytes(b"rows").sha256
    with house.ledger.writing() as session:
        session.add(Dataset(id="dataset_1", kind="data", name="sold", created_by="ada"))
        session.flush()
        session.add(Partition(id="partition_1", dataset_id="dataset_1", name="main"))
        session.flush()
        session.add(
            Batch(
                id="batch_1",
                partition_id="partition_1",
                number=1,
                state="committed",
                sha256=content,
                size=4,
                media_type="text/plain",
                filename="rows.txt",
                actor="ada",
            )
        )
    house.age()
    assert house.clear(Keep(grace=0, days=0)).garbage == []
    assert house.store.has(content)


@pytest.mark.parametrize(("days", "stays"), [(None, True), (1, True), (-1, False)])
def test_what_is_pinned_stays_until_the_pin_runs_out(
    house: House, days: int | None, stays: bool
) -> None:
    content = house.store.put_bytes(b"a model").sha256
    until = None if days is None else utc_now() + timedelta(days=days)
    with house.ledger.writing() as session:
        session.add(Pin(id="pin_1", holder="ada", target=content, expires_at=until))
    house.age()
    house.clear()
    assert house.store.has(content) == stays


def test_of_a_result_that_no_run_used_for_long_the_record_stays_and_the_output_goes(
    house: House,
) -> None:
    long_ago = utc_now() - timedelta(days=100)
    used, unused = house.commit(1, b"used"), house.commit(2, b"unused")
    house.job(house.run(created_at=utc_now() - timedelta(days=80)), used)
    house.job(house.run(created_at=long_ago), unused)
    house.age()
    done = house.clear()
    assert len(gone(done, "action")) == 1
    assert gone(done, "object") == {unused.record.outputs[0].sha256}
    assert house.store.has(unused.record_id), "what is known of it is kept"
    assert house.cache.lookup(used.record.key) == used
    assert house.cache.lookup(unused.record.key) is None
    house.age()
    house.clear(Keep(grace=0, days=70))
    assert house.cache.lookup(used.record.key) is None


def test_a_result_that_was_reused_lately_stays_although_no_row_says_so(house: House) -> None:
    entry = house.commit(1, b"table")
    house.age()
    assert house.cache.lookup(entry.record.key) == entry
    assert house.clear().garbage == []


def test_what_is_put_again_or_named_while_we_clear_stays(house: House) -> None:
    """The roots are read again right before a thing goes, and its age is looked at."""
    put, pinned, old = (house.store.put_bytes(data).sha256 for data in (b"put", b"pinned", b"old"))
    house.age()
    collector = Collector(house.store, house.ledger, NOW)
    unreached = collector._unreached

    def meanwhile(*arguments: object) -> list[object]:
        found = list(unreached(*arguments))  # type: ignore[arg-type]
        assert len(found) == 3
        house.store.put_bytes(b"put")
        with house.ledger.writing() as session:
            session.add(Pin(id="pin_1", holder="ada", target=pinned))
        return found

    collector._unreached = meanwhile  # type: ignore[assignment,method-assign]
    assert gone(collector.clear(), "object") == {old}
    assert house.store.read(put) == b"put"
    assert house.store.has(pinned)


def test_while_a_run_goes_on_nothing_goes_that_is_younger_than_it(house: House) -> None:
    orphan = house.store.put_bytes(b"of a stage of that run").sha256
    house.run(status=Status.RUNNING, started_at=utc_now() - timedelta(hours=5))
    done = house.clear()
    assert (done.busy, done.garbage) == (True, [])
    assert house.store.has(orphan)


def test_what_killed_writers_left_goes_and_the_quarantine_stays(house: House) -> None:
    sha256 = house.store.put_bytes(b"whole").sha256
    house.run(html=sha256)
    root = house.store.root
    for name in ("incoming/1", "incoming/.tmp-2", f"objects/{sha256[:2]}/.tmp-3", "quarantine/4"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"half")
    house.age()
    done = house.clear()
    assert gone(done, "temporary") == {"1", ".tmp-2", ".tmp-3"}
    assert done.quarantine == ["quarantine/4"]
    assert (root / "quarantine" / "4").exists()


def test_nothing_is_removed_while_a_record_that_the_ledger_names_is_lost(house: House) -> None:
    entry = house.commit(1, b"figure")
    house.run(record=entry.record_id)
    house.store.path(entry.record_id).unlink()
    house.age()
    done = house.clear()
    assert done.lost == [entry.record_id]
    assert house.store.has(entry.record.outputs[0].sha256)
    assert gone(house.clear(Keep(grace=0, despite_losses=True)), "object") == {
        entry.record.outputs[0].sha256
    }


@pytest.mark.parametrize("remote", [False, True])
def test_looking_leaves_a_broken_record_where_it_is(
    house: House, tmp_path: Path, remote: bool
) -> None:
    entry = house.commit(1, b"figure")
    house.run(record=entry.record_id)
    broken = house.store.path(entry.record_id)
    broken.chmod(0o644)
    broken.write_bytes(b"{}")
    sound = house.commit(2, b"other figure")
    house.run(record=sound.record_id)
    if remote:
        house.store = Store(tmp_path / "copies", LocalShelf(tmp_path / "store"))
    before = sorted(path for path in tmp_path.rglob("*") if "ledger" not in path.name)
    told = house.look()
    assert (told.lost, told.quarantine) == ([entry.record_id], [])
    assert sorted(path for path in tmp_path.rglob("*") if "ledger" not in path.name) == before
    assert broken.read_bytes() == b"{}"


def test_an_action_whose_record_is_gone_goes(house: House) -> None:
    entry = house.commit(1, b"x")
    house.store.path(entry.record_id).unlink()
    done = house.clear()
    assert [one.why for one in done.garbage if one.kind == "action"] == ["its record is gone"]


def test_copies_of_what_a_bucket_has_go_when_they_are_old(house: House, tmp_path: Path) -> None:
    house.store = Store(tmp_path / "copies", LocalShelf(tmp_path / "store"))
    blob = house.store.put_bytes(b"page")
    house.run(html=blob.sha256)
    assert house.store.read(blob.sha256) == b"page"
    assert house.clear().garbage == []
    house.age()
    assert gone(house.clear(), "copy") == {blob.sha256}
    assert house.store.read(blob.sha256) == b"page"


def test_what_was_used_stays_though_a_bucket_does_not_say_so_at_once(
    house: House, tmp_path: Path
) -> None:
    class Bucket(LocalShelf):
        touch_lag = 24 * 3600.0

        def touch(self, name: str) -> bool:
            return self.exists(name)  # as a bucket's shelf does with what is younger

    house.store = Store(tmp_path / "copies", Bucket(tmp_path / "store"))
    blob = house.store.put_bytes(b"rows")
    path = tmp_path / "store" / f"objects/{blob.sha256[:2]}/{blob.sha256}"
    this_morning = time.time() - 10 * 3600
    os.utime(path, (this_morning, this_morning))
    assert house.store.put_bytes(b"rows") == blob  # a run's output; its row is yet to come
    assert house.clear(Keep()).garbage == []
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert gone(house.clear(Keep()), "object") == {blob.sha256}
