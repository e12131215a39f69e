"""Two runs side by side: which of their jobs can be compared, and which gave the same."""

from dataclasses import dataclass
from functools import cached_property

from provenance.explain.cells import same_page
from provenance.explain.data import Batches
from provenance.explain.diffs import Text
from provenance.explain.pair import Pair
from provenance.story import REPORT, Story


@dataclass(frozen=True)
class Kept:
    """Where an explanation finds what records only name: texts in the store, batches."""

    text: Text
    batches: Batches = lambda _: None
    odd_keys: frozenset[str] = frozenset()
    """Keys that were made again once, and then gave other outputs."""


@dataclass(frozen=True)
class Pairs:
    """Two runs, their jobs taken together by name."""

    a: Story
    b: Story
    kept: Kept

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all jobs in the order of the later run, the report last."""
        names = [*self.b.by_name, *(name for name in self.a.by_name if name not in self.b.by_name)]
        return tuple(sorted(names, key=lambda name: name == REPORT))

    @cached_property
    def by_name(self) -> dict[str, Pair]:
        """The jobs whose records are there in both runs; different reports are no pair."""
        pairs = {}
        for name in self.names:
            old, new = self.a.by_name.get(name), self.b.by_name.get(name)
            if name == REPORT and self.a.run.report != self.b.run.report:
                continue
            if old and new and old.record and new.record:
                same = old.record_id == new.record_id
                pairs[name] = Pair(name, old.record, old.record if same else new.record)
        return pairs

    @cached_property
    def changed(self) -> tuple[Pair, ...]:
        """The jobs that stand on two records."""
        return tuple(pair for pair in self.by_name.values() if pair.a is not pair.b)

    def same_outputs(self, name: str) -> bool:
        """Tell whether a job gave the same in both runs; of the report, whether it shows it."""
        return self._same.get(name, False)

    @cached_property
    def _same(self) -> dict[str, bool]:
        same = {name: pair.a is pair.b for name, pair in self.by_name.items()}
        for pair in self.changed:
            if pair.name == REPORT:
                same[pair.name] = same_page(pair.a, pair.b, self.kept.text)
            else:
                same[pair.name] = pair.outputs[0] == pair.outputs[1]
        return same

    def lost(self, name: str) -> bool:
        """Tell whether a job that both have cannot be compared, since a record is lost."""
        jobs = [side.by_name.get(name) for side in (self.a, self.b)]
        return all(jobs) and any(job is not None and job.record is None for job in jobs)

    def one_record(self, name: str) -> bool:
        """Tell whether both runs stand on one record of a job."""
        old, new = self.a.by_name.get(name), self.b.by_name.get(name)
        return bool(old and new and old.record_id and old.record_id == new.record_id)
