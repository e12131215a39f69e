"""What lists and pages tell of datasets: what is current, what was, and who stands on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from provenance.datasets.names import DATA, MODEL
from provenance.datasets.schema import schema_change
from provenance.ledger.columns import LARGEST_INTEGER
from provenance.ledger.data_tables import Batch, Dataset, Partition, Pointer, PointerEvent
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.tables import Run, RunInput, RunJob
from provenance.ledger.trace_tables import RecordUse

PAGE = 200
# An inner join, as other queries have it, would drop partitions without a batch.
_AS_IT_IS = joinedload(Batch.partition, innerjoin=False).joinedload(
    Partition.dataset, innerjoin=False
)


@dataclass(frozen=True)
class DatasetRow:
    """What a list says of a dataset or model."""

    name: str
    description: str
    partitions: int
    """Those that have a current batch."""
    batches: int
    size: int
    """Bytes of all batches together."""
    moved_at: datetime | None
    """When a pointer of it moved last."""


@dataclass(frozen=True)
class PartitionRow:
    """A partition, its current batch, and the event that made it so."""

    partition: Partition
    batch: Batch | None
    """Null where it was retired, or nothing was published yet."""
    event: PointerEvent | None
    batches: int


@dataclass(frozen=True)
class EventRow:
    """One move of a pointer, with the numbers of the batches it went from and to."""

    partition: str
    event: PointerEvent
    from_number: int | None
    to_number: int | None
    schema_change: str | None = None
    """What differs between the columns of the two, in words; null where nothing does."""


def datasets(session: Session, kind: str = DATA) -> list[DatasetRow]:
    """Return all datasets, or models, by name."""
    return _dataset_rows(session, Dataset.kind == kind)


def dataset_row(session: Session, dataset: Dataset) -> DatasetRow:
    """Return what a list says of *dataset*."""
    return _dataset_rows(session, Dataset.id == dataset.id)[0]


def _dataset_rows(session: Session, wanted: ColumnElement[bool]) -> list[DatasetRow]:
    kept = (
        select(Partition.dataset_id, func.count().label("n"), func.sum(Batch.size).label("size"))
        .join(Batch, Batch.partition_id == Partition.id)
        .group_by(Partition.dataset_id)
        .subquery()
    )
    current = (
        select(Partition.dataset_id, func.count(Pointer.batch_id).label("n"))
        .join(Pointer, Pointer.partition_id == Partition.id)
        .group_by(Partition.dataset_id)
        .subquery()
    )
    moved = (
        select(Partition.dataset_id, func.max(PointerEvent.at).label("at"))
        .join(PointerEvent, PointerEvent.partition_id == Partition.id)
        .group_by(Partition.dataset_id)
        .subquery()
    )
    query = select(Dataset, current.c.n, kept.c.n, kept.c.size, moved.c.at)
    for part in (current, kept, moved):
        query = query.outerjoin(part, part.c.dataset_id == Dataset.id)
    rows = session.execute(query.where(wanted).order_by(Dataset.name))
    return [
        DatasetRow(one.name, one.description, partitions or 0, batches or 0, int(size or 0), at)
        for one, partitions, batches, size, at in rows
    ]


def promoted_versions(session: Session) -> dict[str, int]:
    """Return the promoted version of each model that has one, by name."""
    rows = session.execute(
        select(Dataset.name, Batch.number)
        .join(Partition, Partition.dataset_id == Dataset.id)
        .join(Pointer, Pointer.partition_id == Partition.id)
        .join(Batch, Batch.id == Pointer.batch_id)
        .where(Dataset.kind == MODEL)
    )
    return {row[0]: row[1] for row in rows}


def partitions(
    session: Session, dataset: Dataset, limit: int = PAGE, before: str | None = None
) -> list[PartitionRow]:
    """Return the partitions of *dataset*, the last by name first, with what is current.

    *before* is the name of a partition: the list goes on after it.
    """
    further = [] if before is None else [Partition.name < before]
    counted = (
        select(Batch.partition_id, func.count().label("n")).group_by(Batch.partition_id).subquery()
    )
    stands = (Pointer.partition_id == PointerEvent.partition_id) & (
        Pointer.version == PointerEvent.version
    )
    rows = session.execute(
        select(Partition, Batch, PointerEvent, counted.c.n)
        .outerjoin(Pointer, Pointer.partition_id == Partition.id)
        .outerjoin(Batch, Batch.id == Pointer.batch_id)
        .outerjoin(PointerEvent, stands)
        .outerjoin(counted, counted.c.partition_id == Partition.id)
        .where(Partition.dataset_id == dataset.id, *further)
        .order_by(Partition.name.desc())
        .limit(limit)
        .options(_AS_IT_IS)
    )
    return [PartitionRow(part, batch, event, count or 0) for part, batch, event, count in rows]


def events(
    session: Session, dataset: Dataset, partition: Partition | None = None, limit: int = PAGE
) -> list[EventRow]:
    """Return how pointers of *dataset* moved, or the one of *partition*: newest first."""
    query = (
        _moves()
        .where(Partition.dataset_id == dataset.id)
        .order_by(PointerEvent.at.desc(), PointerEvent.version.desc())
        .limit(limit)
    )
    if partition is not None:
        query = query.where(PointerEvent.partition_id == partition.id)
    return [_told(*row) for row in session.execute(query)]


def event_row(session: Session, partition: str, event: PointerEvent) -> EventRow:
    """Return *event* of *partition* with the numbers of its batches."""
    same = (PointerEvent.partition_id == event.partition_id, PointerEvent.version == event.version)
    return replace(_told(*session.execute(_moves().where(*same)).one()), partition=partition)


def _moves() -> Select[Any]:
    """Return the query for events: columns of batches come along only where they differ."""
    before, after = aliased(Batch), aliased(Batch)
    differ = cast(before.columns, Text) != cast(after.columns, Text)
    return (
        select(Partition.name, PointerEvent, before.number, after.number)
        .add_columns(case((differ, before.columns)), case((differ, after.columns)))
        .join(Partition, Partition.id == PointerEvent.partition_id)
        .outerjoin(before, before.id == PointerEvent.from_batch)
        .outerjoin(after, after.id == PointerEvent.to_batch)
    )


def _told(
    partition: str, event: PointerEvent, before: int | None, after: int | None, *columns: Any
) -> EventRow:
    return EventRow(partition, event, before, after, schema_change(*columns))


def batches(
    session: Session, partition: Partition, limit: int = PAGE, before: int | None = None
) -> Sequence[Batch]:
    """Return the batches of *partition*, newest first, published or not.

    *before* is the number of a batch: the list goes on after it.
    """
    # A number beyond all columns could not even be asked for, and all come before it.
    last = None if before is None else max(0, min(before, LARGEST_INTEGER))
    further = [] if last is None else [Batch.number < last]
    return session.scalars(
        select(Batch)
        .where(Batch.partition_id == partition.id, *further)
        .order_by(Batch.number.desc())
        .limit(limit)
    ).all()


def times_current(session: Session, batch: Batch) -> Sequence[PointerEvent]:
    """Return the events that made *batch* current, newest first; none where it never was."""
    return session.scalars(
        select(PointerEvent)
        .where(PointerEvent.partition_id == batch.partition_id, PointerEvent.to_batch == batch.id)
        .order_by(PointerEvent.version.desc())
    ).all()


def used_by(session: Session, batch: Batch, limit: int = 50) -> list[RunRow]:
    """Return the runs that stand on *batch*, newest first: their report reads it, or a stage."""
    read = select(RunInput.run_id).where(RunInput.batch == batch.id)
    through = (
        select(RunJob.run_id)
        .join(RecordUse, RecordUse.record == RunJob.record)
        .where(RecordUse.kind == "batch", RecordUse.name == batch.id)
    )
    standing = or_(Run.id.in_(read), Run.id.in_(through))
    query = (
        select_rows().where(standing, Run.purpose.is_(None)).order_by(Run.id.desc()).limit(limit)
    )
    return run_rows(session, query)
