"""An installation for runs that leave no trace in what others build on.

A reproduction makes everything anew, whatever was made before, and nothing that it makes may
stand for anything: its records are kept, its results are in no cache.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property

from pipeline.installation import Installation
from provenance.cache import Cache, Entry, no_matter, nothing
from provenance.record import Record, keep_record
from provenance.store import Store


class PrivateCache(Cache):
    """What one run has made, for itself alone; of others it knows only how they came to be."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._made: dict[str, Entry] = {}

    def lookup(self, key: str, current: Callable[[str], str | None] = nothing) -> Entry | None:
        """Return what this run has made for *key* itself."""
        del current
        return self._made.get(key)

    def recorded(self, key: str) -> Entry | None:
        """Return what this run has made, or else what others have."""
        return self._made.get(key) or super().recorded(key)

    def commit(
        self,
        record: Record,
        *,
        replace: bool = False,
        on_other: Callable[[Entry, Entry], None] = no_matter,
    ) -> Entry:
        """Keep the record in the store, and nothing that leads to it."""
        del replace, on_other
        entry = Entry(record, keep_record(self.store, record).sha256)
        self._made[record.key] = entry
        return entry

    @contextmanager
    def single_flight(self, key: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Wait for nobody: what others make of the same key is theirs."""
        del key, on_wait
        yield


@dataclass(frozen=True)
class _Apart(Installation):
    @cached_property
    def cache(self) -> Cache:
        """What this run has made."""
        return PrivateCache(self.store)


def set_apart(installation: Installation) -> Installation:
    """Return *installation* for one run whose results are to stand for nothing."""
    return _Apart(
        **{field.name: getattr(installation, field.name) for field in fields(Installation)}
    )
