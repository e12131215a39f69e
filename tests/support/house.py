"""A store with its ledger, to be looked through and cleared."""

import os
from dataclasses import dataclass
from pathlib import Path

from provenance.cache import Cache, Entry
from provenance.gc import Cleared, Collector, Keep
from provenance.ledger.engine import Ledger
from provenance.ledger.tables import RunJob
from provenance.store import Store
from tests.provenance.making import genuine_record
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


def action_of(house: House, key: str) -> Path:
    (path,) = (house.store.root / "actions" / key[:2] / key).iterdir()
    return path


def gone(cleared: Cleared, kind: str) -> set[str]:
    return {one.name.rpartition("/")[2] for one in cleared.garbage if one.kind == kind}
