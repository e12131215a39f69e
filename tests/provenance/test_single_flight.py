"""One at a time, whoever is stopped or killed: eight workers, one key, one valid entry."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import event

from provenance.cache import Cache
from provenance.ledger.engine import Ledger
from provenance.ledger.key_events import key_events
from provenance.ledger.leases import Lease, Leases
from provenance.store import Store
from provenance.stores.local import LocalShelf
from tests.provenance.making import commit_some
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 64
Worker: TypeAlias = "subprocess.Popen[str]"

WORKER = """
import sys, time
from pathlib import Path
from provenance.cache import Cache
from provenance.ledger.engine import Ledger
from provenance.ledger.leases import LeaseLostError, Leases
from provenance.store import Store
from provenance.stores.local import LocalShelf
from tests.provenance.making import output_of, record_of
root, url, host, seconds, name, stop_at = sys.argv[1:]
class Stopping(Store):
    def put_bytes(self, data):
        tell("before")
        blob = super().put_bytes(data)
        tell("after")
        return blob
def tell(word):
    print(word, flush=True)
    if word == stop_at:
        time.sleep(600)
shelf = None if host == "here" else LocalShelf(Path(root))
store = Stopping(Path(root) if host == "here" else Path(root, host), shelf)
cache = Cache(store, Leases(Ledger(url), host, float(seconds)))
tell("ready")
sys.stdin.readline()
with cache.single_flight("k" * 64, lambda: None):
    if cache.lookup("k" * 64) is None:
        tell("making")
        sys.stdin.readline()
        blob = store.put_bytes(name.encode())
        try:
            cache.commit(record_of("k" * 64, output_of(blob), run={"id": name}))
        except LeaseLostError as error:
            print("refused", flush=True)
        else:
            tell("published")
"""


class Workers:
    """Processes that want the same key."""

    def __init__(self, root: Path, url: str) -> None:
        self._root, self._url = root, url
        self.all: list[Worker] = []

    def spawn(
        self, name: str, *, host: str = "here", seconds: float = 60, stop_at: str = ""
    ) -> Worker:
        """Start one; it does nothing before it is let go."""
        arguments = [str(self._root), self._url, host, str(seconds), name, stop_at]
        made = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.all.append(made)
        return made

    def start(
        self, name: str, *, host: str = "here", seconds: float = 60, stop_at: str = ""
    ) -> Worker:
        """Start one and let it go as soon as it is ready."""
        made = self.spawn(name, host=host, seconds=seconds, stop_at=stop_at)
        assert said(made) == "ready"
        go(made)
        return made


def said(worker: Worker) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def go(worker: Worker) -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


def rest(worker: Worker) -> list[str]:
    """Let the worker do what it has to, and return what it says from here on."""
    out, _ = worker.communicate("\n", timeout=60)
    assert worker.returncode == 0
    return out.split()


@pytest.fixture
def workers(tmp_path: Path, ledger: Ledger) -> Iterator[Workers]:
    url = ledger.engine.url.render_as_string(hide_password=False)
    found = Workers(tmp_path / "store", url)
    yield found
    for worker in found.all:
        worker.kill()
        worker.communicate()


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
    assert said(paused) == "making"
    paused.send_signal(signal.SIGSTOP)
    other = workers.start("other", seconds=1)
    assert said(other) == "making", "the lease ran out; the lock is still the paused one's"
    assert rest(other) == ["before", "after", "before", "after", "published"]
    paused.send_signal(signal.SIGCONT)
    assert rest(paused)[-1] == "refused"
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
    assert said(here) == "making"
    there = workers.start("there", host="there")
    assert there.stdout is not None
    assert not select.select([there.stdout], [], [], 1.5)[0], "it waits"
    assert rest(here)[-1] == "published"
    assert rest(there) == []
    assert content(cache) == "here"


def test_a_killed_holder_on_the_same_host_is_not_waited_for(workers: Workers, cache: Cache) -> None:
    """Its lease would have lasted for an hour; that its lock is free proves that it is dead."""
    killed = workers.start("killed", seconds=3600)
    assert said(killed) == "making"
    killed.kill()
    killed.communicate()
    heir = workers.start("heir", seconds=3600)
    assert said(heir) == "making"
    assert rest(heir)[-1] == "published"
    assert content(cache) == "heir"


@pytest.mark.parametrize("moment", ["making", "before", "after"])
def test_of_eight_workers_one_is_killed_and_one_valid_entry_is_left(
    workers: Workers, cache: Cache, moment: str
) -> None:
    """Before an object is renamed into its place, after it, or before anything is written."""
    first = workers.start("0", stop_at=moment)
    go(first)
    wait_for(lambda: said(first) == moment, moment)
    others = [workers.spawn(str(number)) for number in range(1, 8)]
    for worker in others:
        assert said(worker) == "ready"
        go(worker)
    os.kill(first.pid, signal.SIGKILL)
    for worker in others:
        go(worker)  # whoever makes it need not wait
    said_by_others = [rest(worker) for worker in others]
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
