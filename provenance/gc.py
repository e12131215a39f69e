"""Clearing away: what nothing leads to any more goes, after a grace; what a row names stays.

First actions that nobody has used for long, then objects that neither the ledger nor an
action leads to, then what crashes left behind. Each thing is looked at again right before it
goes: whoever keeps or reuses it meanwhile makes it young, and what is young stays.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from provenance.ledger.engine import Ledger
from provenance.ledger.environments import ENVIRONMENT, forget_builds, note_collected
from provenance.ledger.roots import (
    Roots,
    forget_leases,
    named_now,
    read_roots,
    under_way_since,
)
from provenance.reach import Action, Reach, reach, read_actions
from provenance.store import OBJECTS, Store, is_digest
from provenance.stores.local import QUARANTINE, LocalShelf
from provenance.stores.shelf import Item
from provenance.sweep import (
    Ages,
    Garbage,
    Place,
    left_behind,
    remove_folder,
    remove_lock,
    remove_stray,
    stale_locks,
    stray_files,
    unused_folders,
)

DAY = 86400.0
_GROUP = 100
"""How many objects are looked up in the ledger at once, right before they are removed."""


@dataclass(frozen=True)
class Keep:
    """What stays although nothing names it, and where else to look."""

    grace: float = 3600.0
    """Seconds for which whatever was just written or used stays: its row may be yet to come."""
    days: float = 90.0
    """How long a result stays reusable that no run has used."""
    despite_losses: bool = False
    """Go on although a record or page that the ledger names is gone, with all that it leads to."""
    places: tuple[Place, ...] = ()
    locks: tuple[Path, ...] = ()


@dataclass
class Cleared:
    """What can go, or went, and what stays."""

    garbage: list[Garbage] = field(default_factory=list)
    kept: int = 0
    kept_bytes: int = 0
    quarantine: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Records and pages that the ledger names and nobody can read: then no object is removed."""
    busy: bool = False
    """Whether something is under way: then no folder is removed whose users do not hold it."""

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return by kind how many things and how many bytes."""
        counts = Counter(one.kind for one in self.garbage)
        return {
            kind: (count, sum(one.size for one in self.garbage if one.kind == kind))
            for kind, count in sorted(counts.items())
        }


class Collector:
    """One clearing of a store; the ledger says what has to stay."""

    def __init__(self, store: Store, ledger: Ledger, keep: Keep) -> None:
        self._store = store
        self._ledger = ledger
        self._keep = keep
        # What a bucket says of a file's last use may be behind.
        now = time.time() - store.shelf.touch_lag
        self._now = now
        self._unused = self._unused_since(keep.days)
        with ledger.reading() as session:
            begun = under_way_since(session)
        self._busy = begun is not None
        # A job that has not ended may hold objects that only it knows of.
        begin = begun.timestamp() - store.shelf.touch_lag if begun else now
        self._young = min(now - keep.grace, begin)

    def _unused_since(self, days: float) -> float:
        return self._now - max(days * DAY, self._keep.grace)

    def look(self) -> Cleared:
        """Say what would go; nothing is touched."""
        return self._clear(delete=False)

    def clear(self) -> Cleared:
        """Remove what can go, and say what went."""
        done = self._clear(delete=True)
        with self._ledger.writing() as session:
            forget_leases(session, datetime.fromtimestamp(self._young - DAY, UTC))
            forget_builds(session, datetime.fromtimestamp(max(self._unused, 0), UTC))
        return done

    def _clear(self, *, delete: bool) -> Cleared:
        done = Cleared(busy=self._busy)
        local = LocalShelf(self._store.root)
        done.quarantine = [item.name for item in self._store.shelf.items(QUARANTINE)]
        self._actions(done, delete=delete)
        self._objects(done, delete=delete)
        for one in left_behind(self._store, self._young, self._unused):
            if not delete or local.discard(one.name, self._young):
                done.garbage.append(one)
        for folder in (self._store.root / "locks", *self._keep.locks):
            for one in list(stale_locks(folder, self._young)):
                if not delete or remove_lock(Path(one.name)):
                    done.garbage.append(one)
        for place in self._keep.places:
            if place.held or not self._busy:
                self._place(done, place, delete=delete)
        return done

    def _place(self, done: Cleared, place: Place, *, delete: bool) -> None:
        days = self._keep.days if place.days is None else place.days
        unused = min(self._unused_since(days), self._young)
        ages = Ages(self._young, unused)
        for one in list(unused_folders(place, ages)):
            if not delete or self._remove_unused(place, Path(one.name), ages):
                done.garbage.append(one)
        for one in list(stray_files(place, unused)):
            if not delete or remove_stray(Path(one.name)):
                done.garbage.append(one)

    def _remove_unused(self, place: Place, folder: Path, ages: Ages) -> bool:
        if not place.held and self._is_busy():
            return False
        if not remove_folder(place, folder, ages):
            return False
        if place.kind == ENVIRONMENT:
            with self._ledger.writing() as session:
                note_collected(session, folder.name)
        return True

    def _is_busy(self) -> bool:
        """Tell whether work has begun since we looked, which may use any folder."""
        with self._ledger.reading() as session:
            return under_way_since(session) is not None

    def _roots(self) -> Roots:
        with self._ledger.reading() as session:
            return read_roots(session, datetime.fromtimestamp(max(self._unused, 0), UTC))

    def _actions(self, done: Cleared, *, delete: bool) -> None:
        roots = self._roots()
        for action in read_actions(self._store):
            why = self._why_unused(action, roots)
            before = self._unused if why == _UNUSED else self._young
            if why and (not delete or self._store.shelf.discard(action.item.name, before)):
                item = action.item
                done.garbage.append(Garbage("action", item.name, item.size, why))

    def _why_unused(self, action: Action, roots: Roots) -> str:
        """Say why nobody needs the action; nothing where somebody may."""
        if action.item.modified < self._young and not self._has_record(action):
            return _DANGLING
        used = action.key in roots.used_keys or action.record_id in roots.whole
        return "" if used or action.item.modified >= self._unused else _UNUSED

    def _has_record(self, action: Action) -> bool:
        return is_digest(action.record_id) and self._store.has(action.record_id)

    def _objects(self, done: Cleared, *, delete: bool) -> None:
        gone = {one.name for one in done.garbage if one.kind == "action"}
        actions = [one for one in read_actions(self._store) if one.item.name not in gone]
        found = reach(self._store, self._roots(), actions)
        done.lost = sorted(found.lost)
        unreached = list(self._unreached(done, found))
        if done.lost and not self._keep.despite_losses:
            return
        for start in range(0, len(unreached), _GROUP):
            group = unreached[start : start + _GROUP]
            if delete:
                group = self._remove(group)
            done.garbage += [Garbage("object", one.name, one.size, _UNNAMED) for one in group]

    def _unreached(self, done: Cleared, found: Reach) -> Iterator[Item]:
        for item in self._store.shelf.items(OBJECTS):
            sha256 = item.name.rpartition("/")[2]
            if not is_digest(sha256):
                continue  # somebody is writing it, or it is none of ours
            if sha256 not in found.objects and item.modified < self._young:
                yield item
            else:
                done.kept += 1
                done.kept_bytes += item.size

    def _remove(self, group: Sequence[Item]) -> list[Item]:
        """Remove the objects that no row names even now, and that nobody has put again."""
        with self._ledger.reading() as session:
            named = named_now(session, [item.name.rpartition("/")[2] for item in group])
        shelf = self._store.shelf
        return [
            item
            for item in group
            if item.name.rpartition("/")[2] not in named and shelf.discard(item.name, self._young)
        ]


_UNUSED = "no run has used it for long"
_DANGLING = "its record is gone"
_UNNAMED = "nothing leads to it"
