"""From references to batches: what a run reads is decided once, at its start."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.datasets.errors import (
    NothingYetError,
    RetiredError,
    UnknownBatchError,
    UnknownSnapshotError,
)
from provenance.datasets.heads import Head, Slices, first_head, first_heads, heads_of
from provenance.datasets.lookup import batch_of, require_partition, snapshot_named
from provenance.datasets.names import DATA, MAIN, MODEL, fits, is_pattern, label, pin_name
from provenance.ledger.data_tables import Batch, Partition, SnapshotBatch

NO_PINS: Mapping[str, str] = {}
_WAITING = {
    DATA: "`provenote data ls {0.dataset} {0.partition}` lists the batches that wait.",
    MODEL: "`provenote models show {0.dataset}` lists the versions that wait.",
}


@dataclass(frozen=True)
class Reference:
    """What somebody wants to read: at most one of batch, snapshot and version narrows it."""

    kind: str
    """``data`` or ``model``."""
    dataset: str
    """The name of the dataset or model."""
    partition: str = MAIN
    """One partition, or a pattern such as ``*`` or ``2013-*``; of a model always ``main``."""
    batch: str | None = None
    """The id of a batch."""
    snapshot: str | None = None
    version: int | None = None
    """The number of a batch in its partition: a model's version."""

    @property
    def name(self) -> str:
        """What people call it."""
        return label(self.kind, self.dataset, self.partition)

    @property
    def pin(self) -> str:
        """The name under which its batch is pinned, where it means one partition."""
        return pin_name(self.kind, self.dataset, self.partition)


def resolve(
    session: Session,
    reference: Reference,
    as_of: datetime | None = None,
    pinned: Mapping[str, str] = NO_PINS,
) -> tuple[Batch, ...]:
    """Return the one batch that *reference* means, or all of a pattern, sorted by partition.

    With *as_of*, an instant, the batches that were current then. *pinned* maps
    ``dataset/partition`` (``model:name``) to a batch id and wins over everything; under a
    pattern a pinned partition takes the place of the current one.

    Raises UnknownDatasetError, UnknownPartitionError, UnknownBatchError, UnknownSnapshotError,
    NothingYetError or RetiredError; each names what is nearest.
    """
    return resolve_all(session, [reference], as_of, pinned)[0]


def resolve_all(
    session: Session,
    references: Iterable[Reference],
    as_of: datetime | None = None,
    pinned: Mapping[str, str] = NO_PINS,
) -> list[tuple[Batch, ...]]:
    """Resolve *references* at one moment: one statement reads all pointers that they need."""
    wanted = list(references)
    slices = Slices((one.kind, one.dataset, one.partition) for one in wanted)
    heads = heads_of(session, slices, as_of)
    return [_Resolver(session, heads, as_of, pinned).resolve(one) for one in wanted]


@dataclass(frozen=True)
class _Resolver:
    session: Session
    heads: Sequence[Head]
    as_of: datetime | None
    pinned: Mapping[str, str]

    def resolve(self, reference: Reference) -> tuple[Batch, ...]:
        """Return the batches that *reference* means."""
        if is_pattern(reference.partition) and reference.kind == DATA:
            return self._several(reference)
        if (batch_id := self.pinned.get(reference.pin)) is not None:
            return (batch_of(self.session, reference, batch_id),)
        if reference.batch is not None:
            return (batch_of(self.session, reference, reference.batch),)
        if reference.version is not None:
            return (batch_of(self.session, reference, reference.version),)
        if reference.snapshot is not None:
            return (self._of_snapshot(reference),)
        return (self._current(reference),)

    def _current(self, reference: Reference) -> Batch:
        for head in self.heads:
            if (head.kind, head.dataset, head.partition) == (
                reference.kind,
                reference.dataset,
                reference.partition,
            ):
                if head.batch_id is None:
                    raise _retired(reference, head)
                return self.session.get_one(Batch, head.batch_id)
        raise self._nothing_yet(reference)

    def _nothing_yet(self, reference: Reference) -> NothingYetError:
        partition = require_partition(self.session, reference)
        first = first_head(self.session, partition.id)
        if first is None:
            return NothingYetError(
                f"Nothing was published in {reference.name} yet.",
                _WAITING[reference.kind].format(reference),
            )
        return NothingYetError(
            f"{reference.name} had nothing yet {_at(self.as_of)}.",
            f"Its first batch is {first.batch_id}, published {_at(first.at)} by {first.actor}.",
        )

    def _of_snapshot(self, reference: Reference) -> Batch:
        partition = require_partition(self.session, reference)
        snapshot = snapshot_named(self.session, partition.dataset, str(reference.snapshot))
        held = self.session.get(SnapshotBatch, (snapshot.id, partition.id))
        if held is None:
            raise UnknownSnapshotError(
                f"Snapshot {snapshot.name!r} of {reference.dataset} holds nothing of partition "
                f"{reference.partition!r}.",
                f"It was made {_at(snapshot.created_at)}.",
            )
        return self.session.get_one(Batch, held.batch_id)

    def _several(self, reference: Reference) -> tuple[Batch, ...]:
        if reference.batch is not None or reference.version is not None:
            raise UnknownBatchError(
                f"{reference.name} means several partitions; one batch cannot stand for them.",
                "Name one partition, or a snapshot.",
            )
        found = self._of_pattern(reference)
        prefix = f"{reference.dataset}/"
        for name, batch_id in self.pinned.items():
            partition = name.removeprefix(prefix)
            if name.startswith(prefix) and fits(partition, reference.partition):
                one = Reference(reference.kind, reference.dataset, partition)
                found[partition] = batch_of(self.session, one, batch_id)
        if not found:
            raise self._nothing_fits(reference)
        return tuple(found[partition] for partition in sorted(found))

    def _of_pattern(self, reference: Reference) -> dict[str, Batch]:
        if reference.snapshot is not None:
            held = self._held(reference)
        else:
            held = {
                head.partition: head.batch_id
                for head in self.heads
                if (head.kind, head.dataset) == (reference.kind, reference.dataset)
                and head.batch_id is not None
            }
        named = {name: key for name, key in held.items() if fits(name, reference.partition)}
        rows = self.session.scalars(select(Batch).where(Batch.id.in_(named.values())))
        return {row.partition.name: row for row in rows}

    def _held(self, reference: Reference) -> dict[str, str]:
        partition = require_partition(self.session, reference)
        snapshot = snapshot_named(self.session, partition.dataset, str(reference.snapshot))
        rows = self.session.execute(
            select(Partition.name, SnapshotBatch.batch_id)
            .join(Partition, Partition.id == SnapshotBatch.partition_id)
            .where(SnapshotBatch.snapshot_id == snapshot.id)
        )
        return {row[0]: row[1] for row in rows}

    def _nothing_fits(self, reference: Reference) -> NothingYetError:
        require_partition(self.session, reference)
        when = f" {_at(self.as_of)}" if self.as_of is not None else ""
        return NothingYetError(
            f"No partition that fits {reference.partition!r} had a current batch"
            f" in {reference.dataset}{when}.",
            self._first_that_fits(reference)
            or f"`provenote data ls {reference.dataset}` lists what is current.",
        )

    def _first_that_fits(self, reference: Reference) -> str:
        """Return the sentence on the first batch, where only the instant was too early for it."""
        slices = Slices([(reference.kind, reference.dataset, reference.partition)])
        heads = [
            head
            for head in first_heads(self.session, slices)
            if fits(head.partition, reference.partition)
        ]
        first = min(heads, key=lambda head: head.at, default=None)
        if first is None or self.as_of is None or first.at <= self.as_of:
            return ""
        name = label(first.kind, first.dataset, first.partition)
        return (
            f"The first was that of {name}, published {_at(first.at)} by {first.actor}: "
            f"{first.batch_id}."
        )


def _retired(reference: Reference, head: Head) -> RetiredError:
    return RetiredError(
        f"{reference.name} was retired {_at(head.at)} by {head.actor}"
        + (f": {head.reason}." if head.reason else "."),
        "Its batches are still there: name one, name an earlier instant, or roll it back.",
    )


def _at(instant: datetime | None) -> str:
    return f"at {instant:%Y-%m-%d %H:%M:%S %Z}" if instant is not None else "so far"
