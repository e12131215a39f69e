"""What was made before: from a key to its record."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from provenance.identity.canonical import digest
from provenance.ledger.leases import Lease, LeaseLostError, Leases
from provenance.record import Record, keep_record, read_record
from provenance.single_flight import Flight
from provenance.store import Store

ACTIONS = "actions"
_NOTHING_OBSERVED = digest("observed", {})


@dataclass(frozen=True)
class Entry:
    """A record and its id, the digest of its bytes."""

    record: Record
    record_id: str


def nothing(path: str) -> str | None:
    """Say of every file that it is not there."""
    del path
    return None


def no_matter(stands: Entry, other: Entry) -> None:
    """Do nothing about a result that came out differently."""
    del stands, other


class Cache:
    """``actions/<key>/<second>`` beside the objects: each names the record of a job.

    A key has one entry for each content of the files that its jobs were seen to open beyond
    what the key knows; ``second`` is the digest of these. An action is written last, when
    all it names is safely in the store, and only if there is none yet: of two results for
    one key the first is kept.
    """

    def __init__(self, store: Store, leases: Leases | None = None) -> None:
        self.store = store
        self._leases = leases
        self._flight = Flight(store.root / "locks", leases)
        self._held: dict[str, Lease | None] = {}

    def lookup(self, key: str, current: Callable[[str], str | None] = nothing) -> Entry | None:
        """Return what is recorded for *key*, if it holds and all its files are still there.

        It holds where every file that its job was seen to open still has the content that it
        had: *current* gives the SHA-256 of a file now, None where there is none.
        """
        for entry in self.entries(key):
            observed = entry.record.observed
            same = all(current(path) == sha256 for path, sha256 in observed.items())
            if same and self._use(key, entry):
                return entry
        return None

    def _use(self, key: str, entry: Entry) -> bool:
        """Let the entry count as used now, so that nobody clears it away; False if it is gone."""
        name, old = _name(key, entry.record.observed), _old_name(key)
        there = self.store.shelf.touch(name) or self.store.shelf.touch(old)
        return there and self._has_files(entry)

    def _has_files(self, entry: Entry) -> bool:
        return all(self.store.has(sha256) for sha256 in entry.record.files)

    def recorded(self, key: str) -> Entry | None:
        """Return the newest entry of *key*, whatever has become of its files and outputs."""
        return next(iter(self.entries(key)), None)

    def entries(self, key: str) -> list[Entry]:
        """Return all entries of *key*, the newest first."""
        names = [item.name for item in self.store.shelf.items(_old_name(key))]
        found = [entry for name in names if (entry := self._read(name)) is not None]
        return sorted(found, key=_made_at, reverse=True)

    def _read(self, name: str) -> Entry | None:
        if name.rpartition("/")[2].startswith("."):
            return None  # somebody is writing it
        try:
            record_id = self.store.shelf.read(name).decode().strip()
        except (FileNotFoundError, ValueError):
            return None  # gone, or damaged
        record = read_record(self.store, record_id)
        return Entry(record, record_id) if record is not None else None

    def commit(
        self,
        record: Record,
        *,
        replace: bool = False,
        on_other: Callable[[Entry, Entry], None] = no_matter,
    ) -> Entry:
        """Make *record* what its key stands for, unless an entry that is whole has it already.

        *replace* is for a job that was forced. Returns the entry that holds from now on.
        Where one was there whose outputs are others, *on_other* is told of the entry that
        stands and of the one that does not. Raises LeaseLostError, with nothing published,
        where another worker took over while this one was silent.
        """
        made = Entry(record, keep_record(self.store, record).sha256)
        try:
            before, stands = self._publish(made, replace)
        except LeaseLostError:
            self._note_refused(made)
            raise
        if before is not None and _contents(before) != _contents(made):
            on_other(stands, made if stands is before else before)
        return stands

    def _fence(self, key: str) -> AbstractContextManager[None]:
        lease = self._held.get(key)
        return self._leases.fenced(lease) if self._leases and lease else nullcontext()

    def _note_refused(self, made: Entry) -> None:
        stands = self.recorded(made.record.key)
        if self._leases is not None:
            run_id = made.record.run.get("id")
            self._leases.note_refused(
                made.record.key, stands.record_id if stands else "", made.record_id, run_id
            )

    def _publish(self, made: Entry, replace: bool) -> tuple[Entry | None, Entry]:
        """Write the action; return the whole entry that was there before, and what stands now.

        We look outside the fence, which holds the ledger: to look takes many requests. Who
        took the key over since then took its lease, and the fence lets us write no more.
        """
        self._give_way(made.record.key)
        name = _name(made.record.key, made.record.observed)
        before = self._whole(name)
        stands = made if replace else before
        if not self._write_action(name, made, stands, replace=replace):
            before = stands = self._whole(name)  # it came since our look, or is broken
            self._write_action(name, made, stands, replace=True)
        return before, stands or made

    def _write_action(self, name: str, made: Entry, stands: Entry | None, *, replace: bool) -> bool:
        """Write the action unless another stands; False where one is there and may not be."""
        with self._fence(made.record.key):
            if stands is None or stands is made:
                try:
                    self.store.shelf.write(name, made.record_id.encode(), replace=replace)
                except FileExistsError:
                    return False
        return True

    def _whole(self, name: str) -> Entry | None:
        entry = self._read(name)
        return entry if entry and self._has_files(entry) else None

    def _give_way(self, key: str) -> None:
        """Turn an action of the old form, a file called by the key alone, into one of today's."""
        old = _old_name(key)
        if self.store.is_remote or not self.store.shelf.exists(old):
            return
        entry = self._read(old)
        self.store.shelf.discard(old)
        if entry is not None:
            name = _name(key, entry.record.observed)
            self.store.shelf.write(name, entry.record_id.encode(), replace=True)

    @contextmanager
    def single_flight(self, key: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the right to make *key*: on this host a lock, across hosts a lease as well.

        While another process holds it, *on_wait* is called every now and then; it may raise
        to give up. The lock is the kernel's (flock), so it is free when its holder is killed.
        """
        with self._flight.turn(key, on_wait) as lease:
            self._held[key] = lease
            try:
                yield
            finally:
                del self._held[key]


def _old_name(key: str) -> str:
    return f"{ACTIONS}/{key[:2]}/{key}"


def _name(key: str, observed: Mapping[str, str | None]) -> str:
    second = digest("observed", dict(observed)) if observed else _NOTHING_OBSERVED
    return f"{_old_name(key)}/{second}"


def _made_at(entry: Entry) -> str:
    return str(entry.record.run.get("finished_at") or entry.record.run.get("started_at") or "")


def _contents(entry: Entry) -> list[tuple[str, str, str, str]]:
    """Return what the job left: outputs, and the frames and models that it stored, by name."""
    record = entry.record
    found = [("outputs", output.name, "", output.sha256) for output in record.outputs]
    for kind, name in (("batches", "dataset"), ("models", "name")):
        found += [
            (kind, str(one.get(name)), str(one.get("partition", "")), str(one.get("sha256")))
            for one in record.extra.get(kind, ())
        ]
    return sorted(found)
