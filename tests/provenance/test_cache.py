"""The cache: one whole entry a key, whoever was killed on the way."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.cache import Cache, Entry
from provenance.files import write_durably
from provenance.record import Record, keep_record
from provenance.store import Store
from tests.provenance.flight import KEY, race
from tests.provenance.making import commit_some, output_of, record_of
from tests.support.siblings import Sibling

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(Store(tmp_path / "store"))


def test_what_was_committed_is_found_by_its_key(cache: Cache) -> None:
    assert cache.lookup(KEY) is None
    record = commit_some(cache.store, KEY, b"one")
    entry = cache.commit(record)
    assert cache.lookup(KEY) == entry
    assert entry.record == record
    assert cache.lookup("x" * 64) is None


def test_of_two_results_the_first_is_kept_unless_the_second_was_forced(cache: Cache) -> None:
    first = cache.commit(commit_some(cache.store, KEY, b"one"))
    second = commit_some(cache.store, KEY, b"two")
    assert cache.commit(second) == first
    assert cache.lookup(KEY) == first
    forced = cache.commit(second, replace=True)
    assert forced.record == second
    assert cache.lookup(KEY) == forced


def test_an_entry_whose_output_is_gone_is_recorded_but_not_reused(cache: Cache) -> None:
    record = commit_some(cache.store, KEY, b"one")
    cache.commit(record)
    cache.store.path(record.outputs[0].sha256).unlink()
    assert cache.lookup(KEY) is None
    recorded = cache.recorded(KEY)
    assert recorded is not None
    assert recorded.record == record
    again = cache.commit(commit_some(cache.store, KEY, b"two"))
    assert cache.lookup(KEY) == again


@pytest.mark.parametrize("broken", [None, b"", b"{"])
def test_an_entry_whose_record_is_gone_or_broken_is_made_anew(
    cache: Cache, broken: bytes | None
) -> None:
    record = commit_some(cache.store, KEY, b"one")
    path = cache.store.path(cache.commit(record).record_id)
    path.unlink()
    if broken is not None:
        path.write_bytes(broken)
    assert cache.recorded(KEY) is None
    assert cache.lookup(KEY) is None
    cache.commit(record)
    found = cache.lookup(KEY)
    assert found is not None
    assert found.record == record


def observing(cache: Cache, content: bytes, **files: str | None) -> Record:
    """Return a record of a job that was seen to open *files*."""
    output = output_of(cache.store.put_bytes(content))
    return record_of(KEY, output, code={"commit": "a" * 40, "observed": files})


def test_of_one_key_the_entry_is_reused_whose_observed_files_are_as_they_were(cache: Cache) -> None:
    one = cache.commit(observing(cache, b"one", table="1" * 64))
    two = cache.commit(observing(cache, b"two", table="2" * 64))
    assert {entry.record_id for entry in cache.entries(KEY)} == {one.record_id, two.record_id}
    assert cache.lookup(KEY, {"table": "1" * 64}.get) == one
    assert cache.lookup(KEY, {"table": "2" * 64}.get) == two
    assert cache.lookup(KEY, {"table": "3" * 64}.get) is None
    assert cache.lookup(KEY) is None
    assert cache.recorded(KEY) in (one, two)


def test_a_file_that_the_code_looked_for_in_vain_must_still_be_absent(cache: Cache) -> None:
    entry = cache.commit(observing(cache, b"one", settings=None))
    assert cache.lookup(KEY) == entry
    assert cache.lookup(KEY, {"settings": "1" * 64}.get) is None


def test_the_newest_entry_is_the_one_recorded(cache: Cache) -> None:
    for day in (2, 3, 1):
        record = observing(cache, b"%d" % day, table=f"{day}" * 64)
        cache.commit(replace(record, run={"finished_at": f"2026-03-0{day}T12:00:00+00:00"}))
    newest = cache.recorded(KEY)
    assert newest is not None
    assert newest.record.observed == {"table": "3" * 64}


def test_an_action_of_the_old_form_is_read_and_gives_way(cache: Cache) -> None:
    record = commit_some(cache.store, KEY, b"one")
    old = cache.store.root / "actions" / KEY[:2] / KEY
    write_durably(old, keep_record(cache.store, record).sha256.encode())
    entry = cache.lookup(KEY)
    assert entry is not None
    assert entry.record == record
    assert cache.commit(commit_some(cache.store, KEY, b"two")) == entry
    assert cache.commit(observing(cache, b"three", table="1" * 64)) != entry
    assert cache.lookup(KEY) == entry
    assert len(cache.entries(KEY)) == 2


def test_a_result_that_comes_out_differently_is_told(cache: Cache) -> None:
    told: list[tuple[str, str]] = []

    def on_other(stands: Entry, other: Entry) -> None:
        told.append((stands.record_id, other.record_id))

    one, two = (commit_some(cache.store, KEY, content) for content in (b"one", b"two"))
    first = cache.commit(one, on_other=on_other)
    again = replace(one, run={"id": "run_2"})
    assert cache.commit(again, on_other=on_other) == first
    assert told == [], "the same outputs"
    second = keep_record(cache.store, two).sha256
    cache.commit(two, on_other=on_other)
    assert told == [(first.record_id, second)]
    assert cache.commit(two, replace=True, on_other=on_other).record_id == second
    assert told[1:] == [(second, first.record_id)], "forced, the new one stands"


@pytest.mark.parametrize("kind", ["batches", "models"])
def test_a_stored_frame_or_model_that_comes_out_differently_is_told(
    cache: Cache, kind: str
) -> None:
    told: list[str] = []

    def on_other(stands: Entry, other: Entry) -> None:
        told.append(other.record.run["id"])

    def made(run: str, *contents: bytes) -> Record:
        record = replace(commit_some(cache.store, KEY, b"one"), run={"id": run})
        blobs = [cache.store.put_bytes(content) for content in contents]
        name = "partition" if kind == "batches" else "name"
        stored = [
            {"dataset": "sold", name: f"part{number}", "sha256": blob.sha256}
            for number, blob in enumerate(blobs)
        ]
        return replace(record, extra={kind: stored})

    cache.commit(made("run_1", b"frame", b"other"), on_other=on_other)
    cache.commit(made("run_2", b"frame", b"other"), on_other=on_other)
    assert told == []
    cache.commit(made("run_3", b"frame", b"another"), on_other=on_other)
    cache.commit(made("run_4", b"other", b"frame"), on_other=on_other)
    cache.commit(made("run_5", b"frame"), on_other=on_other)
    assert told == ["run_3", "run_4", "run_5"]


def test_a_reused_entry_counts_as_used_now(cache: Cache) -> None:
    cache.commit(commit_some(cache.store, KEY, b"one"))
    (action,) = (path for path in (cache.store.root / "actions").rglob("*") if path.is_file())
    os.utime(action, (1000, 1000))
    assert cache.lookup(KEY) is not None
    assert action.stat().st_mtime > 1_000_000


def racing(cache: Cache, *names: str) -> list[Sibling]:
    """Start processes that all want the same key, and let them go at once."""
    racers = [Sibling(race, cache.store.root, name) for name in names]
    assert [racer.said() for racer in racers] == ["ready"] * len(names)
    for racer in racers:
        racer.go()
    return racers


def test_of_eight_processes_on_one_key_one_makes_it_and_all_have_it(cache: Cache) -> None:
    made = [racer.rest() for racer in racing(cache, *map(str, range(8)))]
    assert sorted(made) == [[]] * 7 + [["made"]]
    entry = cache.lookup(KEY)
    assert entry is not None
    content = cache.store.read(entry.record.outputs[0].sha256)
    assert content == str(made.index(["made"])).encode()
    actions = [path for path in (cache.store.root / "actions").rglob("*") if path.is_file()]
    assert len(actions) == 1


def test_a_killed_holder_gives_the_key_free(cache: Cache) -> None:
    (hanging,) = racing(cache, "hang")
    assert hanging.said() == "made"
    waited = threading.Event()

    def on_wait() -> None:
        if not waited.is_set():
            waited.set()
            os.kill(hanging.pid, signal.SIGKILL)

    with cache.single_flight(KEY, on_wait):
        assert waited.is_set()
        blob = cache.store.put_bytes(b"mine")
        cache.commit(record_of(KEY, output_of(blob)))
    hanging.kill()
    assert cache.lookup(KEY) is not None


def test_one_who_waits_for_a_key_may_give_up(cache: Cache) -> None:
    class CancelledError(Exception):
        pass

    def give_up() -> None:
        raise CancelledError

    started = time.monotonic()
    with cache.single_flight(KEY, give_up):
        other = Cache(cache.store)
        failures: list[type[BaseException]] = []

        def wait() -> None:
            try:
                with other.single_flight(KEY, give_up):
                    pass
            except CancelledError as error:
                failures.append(type(error))

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(10)
    assert failures == [CancelledError]
    assert time.monotonic() - started < 5
    with cache.single_flight(KEY, give_up):
        pass


def test_an_entry_that_is_cleared_away_while_it_is_looked_up_is_not_reused(cache: Cache) -> None:
    record = commit_some(cache.store, KEY, b"one")
    cache.commit(replace(record, code={**record.code, "observed": {"a.csv": "1" * 64}}))
    (item,) = cache.store.shelf.items("actions")

    def cleared(path: str) -> str:
        cache.store.shelf.discard(item.name)
        return "1" * 64

    assert cache.lookup(KEY, cleared) is None


@pytest.mark.parametrize("kind", ["batches", "models"])
def test_an_entry_whose_stored_frame_or_model_is_gone_is_not_reused(
    cache: Cache, kind: str
) -> None:
    stored = cache.store.put_bytes(b"stored")
    record = commit_some(cache.store, KEY, b"one")
    cache.commit(replace(record, extra={kind: [{"sha256": stored.sha256, "size": stored.size}]}))
    assert cache.lookup(KEY) is not None
    cache.store.path(stored.sha256).unlink()
    assert cache.lookup(KEY) is None
