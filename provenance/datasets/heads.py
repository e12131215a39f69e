"""What pointers say now, or said at an instant, read in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from provenance.datasets.names import DATA, is_pattern
from provenance.ledger.data_tables import Dataset, Partition, Pointer, PointerEvent


@dataclass(frozen=True)
class Head:
    """The event that a pointer stands at."""

    kind: str
    dataset: str
    partition: str
    version: int
    batch_id: str | None
    """Null where the partition was retired."""
    op: str
    actor: str
    reason: str
    at: datetime


class Slices:
    """Which partitions are asked for: (kind, dataset, partition or pattern) of each."""

    def __init__(self, named: Iterable[tuple[str, str, str]]) -> None:
        self.named = set(named)

    @property
    def condition(self) -> ColumnElement[bool]:
        """What a row of dataset and partition has to fulfil."""
        return or_(false(), *(self._one(*one) for one in sorted(self.named)))

    def _one(self, kind: str, dataset: str, partition: str) -> ColumnElement[bool]:
        inside = and_(Dataset.kind == kind, Dataset.name == dataset)
        # A pattern is narrowed by the caller: databases differ in what LIKE means.
        if kind == DATA and is_pattern(partition):
            return inside
        return and_(inside, Partition.name == partition)


def heads_of(session: Session, slices: Slices, as_of: datetime | None = None) -> Sequence[Head]:
    """Return where the pointers of *slices* stand, or stood at *as_of*, by dataset and name.

    One statement, so that all of them are of one moment whatever the database's isolation.
    """
    if as_of is None:
        stands = and_(
            Pointer.partition_id == PointerEvent.partition_id,
            Pointer.version == PointerEvent.version,
        )
        query = _heads().join(Pointer, stands)
    else:
        newest = (
            select(PointerEvent.partition_id, func.max(PointerEvent.version).label("version"))
            .join(Partition, Partition.id == PointerEvent.partition_id)
            .join(Dataset, Dataset.id == Partition.dataset_id)
            .where(PointerEvent.at <= as_of, slices.condition)
            .group_by(PointerEvent.partition_id)
            .subquery()
        )
        stood = and_(
            newest.c.partition_id == PointerEvent.partition_id,
            newest.c.version == PointerEvent.version,
        )
        query = _heads().join(newest, stood)
    return _told(session, query.where(slices.condition))


def first_head(session: Session, partition_id: str) -> Head | None:
    """Return the first event of a partition; None where nothing was published yet."""
    first = _heads().where(PointerEvent.partition_id == partition_id)
    found = _told(session, first.order_by(None).order_by(PointerEvent.version).limit(1))
    return found[0] if found else None


def first_heads(session: Session, slices: Slices) -> Sequence[Head]:
    """Return the first event of each partition of *slices* that has one, by dataset and name."""
    return _told(session, _heads().where(PointerEvent.version == 1, slices.condition))


def _heads() -> Select[Any]:
    said = ("version", "op", "actor", "reason", "at")
    return (
        select(
            Dataset.kind,
            Dataset.name.label("dataset"),
            Partition.name.label("partition"),
            PointerEvent.to_batch.label("batch_id"),
            *(getattr(PointerEvent, name) for name in said),
        )
        .select_from(PointerEvent)
        .join(Partition, Partition.id == PointerEvent.partition_id)
        .join(Dataset, Dataset.id == Partition.dataset_id)
        .order_by(Dataset.name, Partition.name)
    )


def _told(session: Session, query: Select[Any]) -> list[Head]:
    return [Head(**row._mapping) for row in session.execute(query)]
