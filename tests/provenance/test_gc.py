"""Clearing away: what nothing leads to goes, what a row names stays, in a folder or a bucket."""

import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from provenance.cache import Cache, Entry
from provenance.files import mark_used
from provenance.gc import Cleared, Collector, Keep
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Batch, Dataset, Partition, Pin
from provenance.ledger.engine import Ledger
from provenance.ledger.states import Status
from provenance.ledger.tables import RunJob
from provenance.record import keep_record
from provenance.store import Store
from provenance.stores.local import LocalShelf
from provenance.sweep import Place
from tests.provenance.making import genuine_record, output_of, page_with
from tests.support.ledgers import sqlite_ledger
from tests.support.rows import add_evaluation, add_project, add_runs

LONG_AGO = 1_000_000_000
NOW = Keep(grace=0)


@dataclass
class House:
    """A store and its ledger."""

    store: Store
    ledger: Ledger

    @property
    def cache(self) -> Cache:
        return Cache(self.store)

    def look(self, keep: Keep = NOW) -> Cleared:
        return Collector(self.store, self.ledger, keep).look()

    def clear(self, keep: Keep = NOW) -> Cleared:
        return Collector(self.store, self.ledger, keep).clear()

    def run(self, **values: object) -> str:
        return add_runs(
            self.ledger, add_evaluation(self.ledger, add_project(self.ledger)), **values
        )[0]

    def commit(self, number: int, *contents: bytes) -> Entry:
        return self.cache.commit(genuine_record(self.store, number, *contents))

    def job(self, run_id: str, entry: Entry) -> None:
        row = RunJob(
            run_id=run_id, position=0, stage="features", key=entry.record.key, status="executed",
            sentence="", seconds=1.0, record=entry.record_id,
        )  # fmt: skip
        with self.ledger.writing() as session:
            session.add(row)

    def age(self) -> None:
        """Let everything in the store be from long ago."""
        for path in self.store.root.rglob("*"):
            if path.is_file():
                os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    ledger = sqlite_ledger(tmp_path / "ledger.sqlite")
    yield House(Store(tmp_path / "store"), ledger)
    ledger.close()


def action_of(house: House, key: str) -> Path:
    (path,) = (house.store.root / "actions" / key[:2] / key).iterdir()
    return path


def gone(cleared: Cleared, kind: str) -> set[str]:
    return {one.name.rpartition("/")[2] for one in cleared.garbage if one.kind == kind}


def test_what_a_page_leads_to_stays_as_long_as_the_page(house: House) -> None:
    figure, library = (house.store.put_bytes(data).sha256 for data in (b"figure", b"library"))
    lost = house.store.put_bytes(b"of no page").sha256
    text = f'<script src="../../assets/{library}/x.js"></script> {{"1/0": ["{figure}"]}}'
    page = house.store.put_bytes(text.encode()).sha256
    house.run(html=page)
    house.age()
    house.clear()
    assert all(house.store.has(digest) for digest in (page, figure, library))
    assert not house.store.has(lost)


@pytest.mark.parametrize("kind", ["report", "render"])
@pytest.mark.parametrize("by_row", [False, True])
def test_what_the_page_of_a_result_leads_to_stays_as_long_as_the_result(
    house: House, kind: str, by_row: bool
) -> None:
    figure = house.store.put_bytes(b"figure").sha256
    page = output_of(house.store.put_bytes(page_with(figure)), "html")
    made = genuine_record(house.store, 1, kind=kind)
    entry = house.cache.commit(replace(made, outputs=(page,)))
    # What the run shows is another page: the same result with other words around it.
    other = house.store.put_bytes(b"other words").sha256
    house.run(html=other, record=entry.record_id if by_row else None)
    house.age()
    os.utime(action_of(house, made.key))
    house.clear()
    assert all(house.store.has(digest) for digest in (page.sha256, figure, other))
    house.store.path(page.sha256).unlink()
    assert house.look().lost == [], "it can be made again"


def test_html_that_a_stage_left_leads_to_nothing(house: House) -> None:
    other = house.store.put_bytes(b"of nobody").sha256
    page = output_of(house.store.put_bytes(page_with(other)), "html")
    made = house.cache.commit(replace(genuine_record(house.store, 1), outputs=(page,)))
    house.age()
    os.utime(action_of(house, made.record.key))
    house.clear()
    assert (house.store.has(page.sha256), house.store.has(other)) == (True, False)


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


def test_a_lock_goes_that_nobody_holds(house: House) -> None:
    house.commit(1, b"x")
    locks = house.store.root / "locks"
    locks.mkdir(exist_ok=True)
    for name in ("held", "free"):
        (locks / name).touch()
        os.utime(locks / name, (LONG_AGO, LONG_AGO))
    with (locks / "held").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert gone(house.clear(), "lock") == {"free"}
    assert [path.name for path in locks.iterdir()] == ["held"]


def test_a_folder_that_nobody_used_for_long_goes_however_it_is_protected(
    house: House, tmp_path: Path
) -> None:
    old, new = (tmp_path / "checkouts" / "project" / name for name in ("old", "new"))
    for folder in (old, new):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "file").write_bytes(b"x" * 10)
        for path in (folder / "deep" / "file", folder / "deep", folder):
            path.chmod(0o555)
    place = Place("checkout", tmp_path / "checkouts", 2)
    (tmp_path / "link").symlink_to(tmp_path / "checkouts")
    link = Place("checkout", tmp_path / "link", 2)
    assert house.clear(Keep(grace=0, days=0, places=(link,))).garbage == [], "it may be others'"
    assert house.clear(Keep(places=(place,))).garbage == [], "both were made just now"
    done = house.clear(Keep(grace=0, days=0, places=(place,)))
    assert gone(done, "checkout") == {"old", "new"}
    assert sum(one.size for one in done.garbage) == 20
    assert list((tmp_path / "checkouts" / "project").iterdir()) == []


def test_a_folder_that_was_used_lately_stays_whatever_its_own_times_say(
    house: House, tmp_path: Path
) -> None:
    """Looked at or not, in ever so many ways: only who uses a folder keeps it."""
    used, old = (tmp_path / "checkouts" / "project" / name for name in ("used", "old"))
    for folder in (used, old):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x")
        mark_used(folder)
        for path in (folder / "file", folder, folder.with_name(f"{folder.name}.used")):
            os.utime(path, (time.time(), LONG_AGO))
        folder.chmod(0o555)
    keep = Keep(places=(Place("checkout", tmp_path / "checkouts", 2),))
    before = used.stat()
    mark_used(used)
    assert (used.stat().st_mtime_ns, used.stat().st_ctime_ns) == (
        before.st_mtime_ns,
        before.st_ctime_ns,
    ), "code that runs in it is watched for what changes"
    for _ in range(2):
        assert gone(house.look(keep), "checkout") == {"old"}, "looking is no use"
    assert gone(house.clear(keep), "checkout") == {"old"}
    names = sorted(path.name for path in (tmp_path / "checkouts" / "project").iterdir())
    assert names == ["used", "used.used"]


def test_a_folder_that_is_used_between_our_look_and_its_turn_stays(
    house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "environments" / "one"
    folder.mkdir(parents=True)
    os.utime(folder, (LONG_AGO, LONG_AGO))
    keep = Keep(places=(Place("environment", tmp_path / "environments", 1),))
    collector = Collector(house.store, house.ledger, keep)

    def meanwhile() -> bool:
        mark_used(folder)
        return False

    collector._is_busy = meanwhile  # type: ignore[method-assign]
    assert collector.clear().garbage == []
    assert folder.is_dir()


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


@pytest.mark.parametrize("remains", [None, b"broken"])
def test_nothing_is_removed_while_a_page_is_lost_since_only_it_names_its_figures(
    house: House, remains: bytes | None
) -> None:
    figure = house.store.put_bytes(b"figure").sha256
    page = house.store.put_bytes(page_with(figure))
    house.run(html=page.sha256)
    path = house.store.path(page.sha256)
    path.unlink()
    if remains is not None:
        path.write_bytes(remains)
    house.age()
    done = house.clear()
    assert done.lost == [page.sha256]
    assert house.store.has(figure)
    assert figure in gone(house.clear(Keep(grace=0, despite_losses=True)), "object")


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


def test_work_that_begins_while_we_clear_keeps_its_folders(house: House, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / "environments" / name).mkdir(parents=True)
    places = (Place("environment", tmp_path / "environments", 1),)
    collector = Collector(house.store, house.ledger, Keep(grace=0, days=0, places=places))
    house.run(status=Status.RUNNING, started_at=utc_now())
    assert gone(collector.clear(), "environment") == set()
    assert len(list((tmp_path / "environments").iterdir())) == 2
