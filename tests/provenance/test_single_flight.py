"""One at a time, whoever is stopped or killed: eight workers, one key, one valid entry."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from provenance.cache import Cache
from provenance.ledger.engine import Ledger
from provenance.ledger.key_events import key_events
from provenance.ledger.leases import Lease, Leases
from provenance.store import Store
from provenance.stores.local import LocalShelf
from tests.provenance.flight import KEY, fly
from tests.provenance.making import commit_some
from tests.support.siblings import Sibling
from tests.support.waiting import wait_for


class Workers:
    """Processes that want the same key."""

    def __init__(self, root: Path, url: str) -> None:
        self._root, self._url = root, url
        self.all: list[Sibling] = []

    def spawn(
        self, name: str, *, host: str = "here", seconds: float = 60, stop_at: str = ""
    ) -> Sibling:
        """Start one; it does nothing before it is let go."""
        made = Sibling(fly, self._root, self._url, name, host, seconds, stop_at)
        self.all.append(made)
        return made

    def start(
        self, name: str, *, host: str = "here", seconds: float = 60, stop_at: str = ""
    ) -> Sibling:
        """Start one and let it go as soon as it is ready."""
        made = self.spawn(name, host=host, seconds=seconds, stop_at=stop_at)
        assert made.said() == "ready"
        made.go()
        return made


@pytest.fixture
def workers(tmp_path: Path, ledger: Ledger) -> Iterator[Workers]:
    url = ledger.engine.url.render_as_string(hide_password=False)
    found = Workers(tmp_path / "store", url)
    yield found
    for worker in found.all:
        worker.kill()


@pytest.fixture
def cache(tmp_path: Path, ledger: Ledger) -> Cache:
    return Cache(Store(tmp_path / "store"), Leases(ledger, "here"))


def content(cache: Cache) -> str:
    entry = cache.lookup(KEY)
    assert entry is not None
    return cache.store.read(entry.record.outputs[0].sha256).decode()


def test_a_paused_worker_that_returns_after_its_lease_is_refused(
    workers: Workers, cache: Cache, ledger: Ledger
) -> None:
    paused = workers.start("paused", seconds=1)
    assert paused.said() == "making"
    os.kill(paused.pid, signal.SIGSTOP)
    other = workers.start("other", seconds=1)
    assert other.said() == "making", "the lease ran out; the lock is still the paused one's"
    assert other.rest() == ["before", "after", "before", "after", "published"]
    os.kill(paused.pid, signal.SIGCONT)
    assert paused.rest()[-1] == "refused"
    assert content(cache) == "other"
    assert len(cache.entries(KEY)) == 1
    with ledger.reading() as session:
        (event,) = key_events(session, KEY)
    assert (event.kind, event.run_id) == ("refused", "paused")
    assert event.record == cache.entries(KEY)[0].record_id


def test_of_two_hosts_one_makes_a_key_and_the_other_waits_and_reuses_it(
    workers: Workers, cache: Cache
) -> None:
    """Their locks lie in different places, so only the lease keeps them apart."""
    here = workers.start("here")
    assert here.said() == "making"
    there = workers.start("there", host="there")
    assert not there.line.poll(1.5), "it waits"
    assert here.rest()[-1] == "published"
    assert there.rest() == []
    assert content(cache) == "here"


def test_a_killed_holder_on_the_same_host_is_not_waited_for(workers: Workers, cache: Cache) -> None:
    """Its lease would have lasted for an hour; that its lock is free proves that it is dead."""
    killed = workers.start("killed", seconds=3600)
    assert killed.said() == "making"
    killed.kill()
    heir = workers.start("heir", seconds=3600)
    assert heir.said() == "making"
    assert heir.rest()[-1] == "published"
    assert content(cache) == "heir"


@pytest.mark.parametrize("moment", ["making", "before", "after"])
def test_of_eight_workers_one_is_killed_and_one_valid_entry_is_left(
    workers: Workers, cache: Cache, moment: str
) -> None:
    """Before an object is renamed into its place, after it, or before anything is written."""
    first = workers.start("0", stop_at=moment)
    first.go()
    wait_for(lambda: first.said() == moment, moment)
    others = [workers.spawn(str(number)) for number in range(1, 8)]
    for worker in others:
        assert worker.said() == "ready"
        worker.go()
    os.kill(first.pid, signal.SIGKILL)
    for worker in others:
        worker.go()  # whoever makes it need not wait
    said_by_others = [worker.rest() for worker in others]
    assert sum("published" in words for words in said_by_others) == 1
    assert sum("making" in words for words in said_by_others) == 1
    assert content(cache) in set("1234567")
    assert len(cache.entries(KEY)) == 1


def test_nothing_is_asked_of_the_ledger_where_a_result_is_reused(
    cache: Cache, ledger: Ledger, counting: Callable[[], int]
) -> None:
    with cache.single_flight(KEY, lambda: pytest.fail("nobody else is here")):
        cache.commit(commit_some(cache.store, KEY, b"made"))
    before = counting()
    assert cache.lookup(KEY) is not None
    assert counting() == before


@pytest.mark.parametrize("stands", ["nothing", "an entry", "a broken entry"])
@pytest.mark.parametrize("forced", [False, True])
def test_within_the_fence_nothing_is_done_but_to_write_the_action(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, stands: str, forced: bool
) -> None:
    if stands != "nothing":
        lost = cache.commit(commit_some(cache.store, KEY, b"before")).record.outputs[0].sha256
        if stands == "a broken entry":
            cache.store.path(lost).unlink()
    made = commit_some(cache.store, KEY, b"made")
    asked, fenced = [], [False]
    fence = Leases.fenced

    @contextmanager
    def watched(leases: Leases, lease: Lease) -> Iterator[None]:
        with fence(leases, lease):
            fenced[0] = True
            yield
            fenced[0] = False

    def spied(name: str) -> Callable[..., object]:
        plain = getattr(LocalShelf, name)

        def call(*words: object, **options: object) -> object:
            asked.extend([name] if fenced[0] else [])
            return plain(*words, **options)

        return call

    for name in ("exists", "read", "write", "touch", "items", "discard"):
        monkeypatch.setattr(LocalShelf, name, spied(name))
    monkeypatch.setattr(Leases, "fenced", watched)
    with cache.single_flight(KEY, lambda: pytest.fail("nobody else is here")):
        entry = cache.commit(made, replace=forced)
    assert set(asked) <= {"write"}
    kept = stands == "an entry" and not forced
    assert (entry.record == made) == (not kept)
    assert content(cache) == ("before" if kept else "made")


@pytest.fixture
def counting(ledger: Ledger) -> Callable[[], int]:
    """Count what the ledger is asked."""
    asked: list[str] = []

    @event.listens_for(ledger.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    return lambda: len(asked)
