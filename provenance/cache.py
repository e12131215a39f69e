"""What was made before: from a key to its record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from provenance.files import write_durably
from provenance.record import Record, keep_record, parse_record
from provenance.store import CorruptObjectError, MissingObjectError, Store

_WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class Entry:
    """A record and its id, the digest of its bytes."""

    record: Record
    record_id: str


class Cache:
    """``actions/<key>`` below the store: each names the record of the job with that key.

    An action is written last, when all it names is safely in the store, and only if there
    is none yet: of two results for one key the first is kept.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def _action(self, key: str) -> Path:
        return self.store.root / "actions" / key[:2] / key

    def lookup(self, key: str) -> Entry | None:
        """Return what is recorded for *key*, if it and all its outputs are still there."""
        entry = self.recorded(key)
        if entry and all(self.store.has(output.sha256) for output in entry.record.outputs):
            return entry
        return None

    def recorded(self, key: str) -> Entry | None:
        """Return what is recorded for *key*, even where an output is missing."""
        try:
            record_id = self._action(key).read_text().strip()
        except FileNotFoundError:
            return None
        try:
            return Entry(parse_record(self.store.read(record_id)), record_id)
        except (MissingObjectError, CorruptObjectError, ValueError):
            return None  # gone, damaged, or of another version: it is made again

    def commit(self, record: Record, *, replace: bool = False) -> Entry:
        """Make *record* what its key stands for, unless an entry that is whole has it already.

        *replace* is for a job that was forced. Returns the entry that holds from now on.
        """
        record_id = keep_record(self.store, record).sha256
        whole = self.lookup(record.key)
        if whole and not replace:
            return whole
        write_durably(self._action(record.key), record_id.encode())
        return Entry(record, record_id)

    @contextmanager
    def single_flight(self, key: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the lock under which *key* is made on this host.

        While another process holds it, *on_wait* is called every now and then; it may raise
        to give up. The lock is the kernel's (flock), so it is free when its holder is killed.
        """
        locks = self.store.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / key)
        while not lock.is_locked:
            try:
                lock.acquire(timeout=_WAIT_SECONDS, poll_interval=0.02)
            except Timeout:
                on_wait()
        try:
            yield
        finally:
            lock.release()
