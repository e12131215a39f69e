"""Checking a whole archive: objects, records, actions, and what the ledger names."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from provenance.files import TEMPORARY_PREFIX
from provenance.ledger.engine import Ledger
from provenance.ledger.roots import read_roots
from provenance.pages import page_of, parts_of
from provenance.reach import read_actions
from provenance.record import Record, parse_record
from provenance.store import INCOMING, OBJECTS, Store, is_digest, object_name
from provenance.stores.local import QUARANTINE, LocalShelf
from provenance.verify import Progress, Verified, check_key


def silent(done: int, total: int) -> None:
    """Show nothing."""
    del done, total


@dataclass(frozen=True)
class ArchiveCheck:
    """How an archive is checked; with *repair* broken objects are moved out of the way."""

    store: Store
    ledger: Ledger
    repair: bool = False
    progress: Progress = silent
    _pages: set[str] = field(default_factory=set, init=False, repr=False)
    """Pages of the results that have to be whole, as far as they have been looked at."""

    def run(self) -> Verified:
        """Check everything and say what was found."""
        verified = Verified()
        with self.ledger.reading() as session:
            # Read first: what is written while we check is not missed but met next time.
            roots = read_roots(session, datetime.now(UTC))
        sound = self._objects(verified)
        acted = self._actions(verified, sound)
        for digest in sorted(roots.every):
            verified.count("names in the ledger")
            if not self._has(digest, sound):
                verified.problem("missing", digest, "The ledger names it; it is not in the store.")
        for record_id in sorted((roots.whole | roots.told) - acted):
            record = self._record(record_id, verified, sound)
            if record is not None:
                self._outputs(record, record_id, verified, sound, needed=record_id in roots.whole)
        for page in sorted((roots.pages | self._pages) & sound):
            self._parts(page, verified, sound)
        self._leftovers(verified)
        return verified

    def _has(self, digest: str, sound: set[str]) -> bool:
        """Tell whether the object is whole; one that came while we checked was not seen before."""
        if digest in sound or not is_digest(digest) or not self.store.has(digest):
            return digest in sound
        return self.store.shelf.digest(object_name(digest)) == digest

    def _objects(self, verified: Verified) -> set[str]:
        items = [item for item in self.store.shelf.items(OBJECTS) if not _temporary(item.name)]
        total, done = sum(item.size for item in items), 0
        sound = set()
        for item in items:
            if self._object(item.name, verified):
                sound.add(item.name.rpartition("/")[2])
            done += item.size
            self.progress(done, total)
        return sound

    def _object(self, name: str, verified: Verified) -> bool:
        digest = name.rpartition("/")[2]
        if name != f"{OBJECTS}/{digest[:2]}/{digest}" or not is_digest(digest):
            verified.note("stray", name, "It is no object of ours.")
            return False
        try:
            found = self.store.shelf.digest(name)
        except FileNotFoundError:
            return False  # cleared away meanwhile
        verified.count("objects")
        if found == digest:
            return True
        went = f" {self.store.set_aside(digest).hint}" if self.repair else ""
        verified.problem("corrupt", name, f"Its bytes have the SHA-256 {found}.{went}")
        return False

    def _actions(self, verified: Verified, sound: set[str]) -> set[str]:
        """Check the actions; return the records that they name."""
        named = set()
        for action in read_actions(self.store):
            verified.count("actions")
            named.add(action.record_id)
            if not self._has(action.record_id, sound):
                verified.problem("missing", action.item.name, "Its record is not in the store.")
                continue
            record = self._record(action.record_id, verified, sound)
            if record is None:
                continue
            if record.key != action.key:
                told = f"It names the record of another key, {record.key}."
                verified.problem("action", action.item.name, told)
            self._outputs(record, action.record_id, verified, sound, needed=True)
        return named

    def _record(self, record_id: str, verified: Verified, sound: set[str]) -> Record | None:
        if not self._has(record_id, sound):
            return None  # that it is missing or broken has been said
        verified.count("records")
        try:
            record = parse_record(self.store.read(record_id))
        except ValueError as error:
            verified.problem("record", record_id, f"It cannot be read as a record: {error}.")
            return None
        check_key(record, record_id, verified)
        return record

    def _outputs(
        self, record: Record, record_id: str, verified: Verified, sound: set[str], *, needed: bool
    ) -> None:
        page = page_of(record)
        if needed and page is not None:
            self._pages.add(page)
        for output in record.outputs:
            if self._has(output.sha256, sound):
                continue
            told = f"Output {output.name} of {record.kind} {record.name} is not whole"
            told += f": {output.sha256}"
            if needed:
                verified.problem("missing", record_id, f"{told}.")
            else:
                verified.note("cleared", record_id, f"{told}; it is made again when needed.")

    def _parts(self, page: str, verified: Verified, sound: set[str]) -> None:
        """Look for what belongs to the page and lies beside it: it is no page without that."""
        for part in parts_of((self.store.peek(page) or b"").decode(errors="replace")).values():
            if not self._has(part.sha256, sound):
                told = f"What the page shows at {part.place} is not whole: {part.sha256}."
                verified.problem("missing", page, told)

    def _leftovers(self, verified: Verified) -> None:
        local = LocalShelf(self.store.root)
        for folder in (OBJECTS, "actions", INCOMING):
            for item in local.items(folder):
                if folder == INCOMING or _temporary(item.name):
                    told = "A temporary file; `provenote gc` clears it away."
                    verified.note("temporary", item.name, told)
        for item in self.store.shelf.items(QUARANTINE):
            verified.note("quarantine", item.name, "A broken object that was set aside.")


def _temporary(name: str) -> bool:
    return name.rpartition("/")[2].startswith(TEMPORARY_PREFIX)
