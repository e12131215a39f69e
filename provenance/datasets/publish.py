"""Writing batches, and moving the pointer that says which one is current.

A batch is written first and moves nothing. Then, in a transaction of its own, one statement
moves the pointer, if it is still where the writer saw it: of two writers one wins, and the
other is told so and keeps its batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from provenance.datasets.errors import ConflictError, KeyReusedError
from provenance.datasets.names import DATA, MAIN, MODEL, check_dataset, check_partition, label
from provenance.datasets.schema import schema_change
from provenance.ledger.columns import Base, utc_now
from provenance.ledger.data_tables import Batch, Dataset, Partition, Pointer, PointerEvent
from provenance.ledger.ids import new_id
from provenance.ledger.inserting import insert_into

SENT = "sent_sha256"
"""What the details of a batch call the digest of the bytes that came under its key."""


@dataclass(frozen=True)
class NewBatch:
    """A batch that is to be written; its file is in the store already."""

    dataset: str
    sha256: str
    size: int
    """In bytes."""
    media_type: str
    filename: str
    actor: str
    kind: str = DATA
    """``data``, or ``model``: then *dataset* is the model's name."""
    partition: str = MAIN
    rows: int | None = None
    columns: Sequence[Mapping[str, str]] | None = None
    """``[{"name", "type"}]`` of a table, in order."""
    details: Mapping[str, Any] = field(default_factory=dict)
    record: str | None = None
    run_id: str | None = None
    idempotency_key: str | None = None
    """Who writes the same again under the same key gets the batch that is there."""
    sent: str | None = None
    """Digest of the bytes as they came; what is kept may have been made of them."""


@dataclass(frozen=True)
class By:
    """Who publishes a batch, why, and in which run, where one does."""

    actor: str
    reason: str = ""
    run_id: str | None = None


def stage_batch(session: Session, new: NewBatch) -> Batch:
    """Write a batch, and its dataset and partition where they are new; nothing becomes current.

    Under an idempotency key that its partition knows, the batch that is there is returned.
    Raises InvalidNameError or KeyReusedError.
    """
    partition = _partition(session, new)
    if (there := sent_before(session, new)) is not None:
        return there
    last = session.scalar(select(func.max(Batch.number)).where(Batch.partition_id == partition.id))
    batch = _row(new, partition, (last or 0) + 1)
    batch.schema_change = _schema_change(session, batch)
    session.add(batch)
    session.flush()
    return batch


def sent_before(session: Session, new: NewBatch) -> Batch | None:
    """Return the batch that was written under the idempotency key of *new*, if there is one.

    Raises KeyReusedError where it came of other content than *new*.
    """
    if new.idempotency_key is None:
        return None
    partition = MAIN if new.kind == MODEL else new.partition
    same = (
        select(Batch)
        .join(Partition, Partition.id == Batch.partition_id)
        .join(Dataset, Dataset.id == Partition.dataset_id)
        .where(Dataset.kind == new.kind, Dataset.name == new.dataset, Partition.name == partition)
        .where(Batch.idempotency_key == new.idempotency_key)
    )
    there = session.scalars(same).one_or_none()
    if there is not None and not _same_content(there, new):
        raise KeyReusedError(
            f"The key {new.idempotency_key!r} was sent with other content before: it is batch "
            f"{there.number} ({there.id}) of {label(new.kind, new.dataset, partition)}.",
            "Nothing was written. Send other content under a key of its own.",
        )
    return there


def _same_content(there: Batch, new: NewBatch) -> bool:
    """Say whether both came of the same bytes; of a file that is not made yet nothing is known.

    What came is compared where that is known: a newer library may write other Parquet of it.
    """
    if new.sent is not None and (sent := there.details.get(SENT)) is not None:
        return bool(sent == new.sent)
    return new.sha256 in ("", there.sha256)


def publish(session: Session, batch: Batch, seen: int, by: By) -> PointerEvent:
    """Make *batch* current, if the pointer still has the version *seen*; 0: it has none yet.

    Raises ConflictError, which says who moved it and when; the batch survives unpublished.
    """
    event = PointerEvent(
        partition_id=batch.partition_id,
        op="publish",
        actor=by.actor,
        reason=by.reason,
        run_id=by.run_id,
    )
    return move(session, event, batch.id, seen)


def move(session: Session, event: PointerEvent, to: str | None, seen: int) -> PointerEvent:
    """Point at the batch *to* (None: at nothing), and write *event*, under one fence.

    *event* brings partition, op, actor, reason and run; the rest is filled in here, the only
    place that writes a pointer.
    """
    before = session.get(Pointer, event.partition_id, populate_existing=True)
    event.from_batch = before.batch_id if before is not None else None
    there = before.version if before is not None else 0
    moves = _first if seen == 0 else _next
    if there != seen or not moves(session, event, to, seen):
        raise conflict(session, event.partition_id, seen, kept=event.op == "publish")
    event.to_batch, event.version = to, seen + 1
    event.at = _not_before(session, event)
    session.add(event)
    session.flush()
    return event


def pointer_of(session: Session, kind: str, dataset: str, partition: str = MAIN) -> Pointer | None:
    """Return the pointer of a partition as it is now; None where nothing was published yet."""
    wanted = (
        select(Pointer)
        .join(Partition, Partition.id == Pointer.partition_id)
        .join(Dataset, Dataset.id == Partition.dataset_id)
        .where(Dataset.kind == kind, Dataset.name == dataset, Partition.name == partition)
        .execution_options(populate_existing=True)
    )
    return session.scalars(wanted).one_or_none()


def version_seen(session: Session, kind: str, dataset: str, partition: str = MAIN) -> int:
    """Return the version that a writer has to name as seen; 0 where nothing was published yet."""
    pointer = pointer_of(session, kind, dataset, partition)
    return pointer.version if pointer is not None else 0


def insert_new(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless one with the same unique columns is there; say whether it was new."""
    columns = table.__table__.primary_key
    # What is returned, and not the count of rows: that is unknown to some drivers.
    new = insert_into(session, table).values(**values).on_conflict_do_nothing().returning(*columns)
    return session.execute(new).first() is not None


def _partition(session: Session, new: NewBatch) -> Partition:
    """Return the partition, locked until the transaction ends: it counts its batches."""
    named = {"kind": new.kind, "name": check_dataset(new.dataset)}
    partition = MAIN if new.kind == MODEL else check_partition(new.partition)
    find = select(Dataset).filter_by(**named)
    dataset = session.scalars(find).one_or_none()
    if dataset is None:
        made = {"id": new_id("dataset"), "created_by": new.actor, "created_at": utc_now()}
        insert_new(session, Dataset, **named, **made, description="")
        dataset = session.scalars(find).one()
    inside = {"dataset_id": dataset.id, "name": partition}
    # Events refer to this row: who moves the pointer meanwhile must not have to wait for us.
    locked = select(Partition).filter_by(**inside).with_for_update(of=Partition, key_share=True)
    found = session.scalars(locked).one_or_none()
    if found is None:
        insert_new(session, Partition, id=new_id("part"), **inside, created_at=utc_now())
        found = session.scalars(locked).one()
    return found


def _row(new: NewBatch, partition: Partition, number: int) -> Batch:
    taken = ("sha256", "size", "media_type", "filename", "rows", "record", "run_id", "actor")
    return Batch(
        id=new_id("batch"),
        partition_id=partition.id,
        partition=partition,
        number=number,
        state="committed",
        columns=[dict(column) for column in new.columns] if new.columns is not None else None,
        details=dict(new.details) | _sent(new),
        idempotency_key=new.idempotency_key,
        **{name: getattr(new, name) for name in taken},
    )


def _sent(new: NewBatch) -> dict[str, str]:
    if new.idempotency_key is None or new.sent is None:
        return {}
    return {SENT: new.sent}


def _schema_change(session: Session, batch: Batch) -> str | None:
    pointer = session.get(Pointer, batch.partition_id, populate_existing=True)
    if pointer is None or pointer.batch_id is None:
        return None
    return schema_change(session.get_one(Batch, pointer.batch_id).columns, batch.columns)


def _first(session: Session, event: PointerEvent, to: str | None, seen: int) -> bool:
    values = {"partition_id": event.partition_id, "batch_id": to, "version": seen + 1}
    return insert_new(session, Pointer, **values)


def _next(session: Session, event: PointerEvent, to: str | None, seen: int) -> bool:
    done = session.execute(
        update(Pointer)
        .where(Pointer.partition_id == event.partition_id, Pointer.version == seen)
        .values(batch_id=to, version=seen + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor's result has it


def _not_before(session: Session, event: PointerEvent) -> datetime:
    """Return this instant, or the last event's where this host's clock is behind.

    As-of questions rest on it: instants never go back while versions grow.
    """
    last = session.scalar(
        select(func.max(PointerEvent.at)).where(PointerEvent.partition_id == event.partition_id)
    )
    return max(utc_now(), last) if last is not None else utc_now()


_KEPT = (
    "Nothing was moved, and your batch is kept unpublished. "
    "Look at what is current now, then publish the batch if it still should be."
)
_MOVED_ON = "Nothing was moved. Look at what is current now, then decide anew."


def conflict(
    session: Session, partition_id: str, seen: int, *, kept: bool = False
) -> ConflictError:
    """Return the error that tells who moved the pointer since it had the version *seen*.

    *kept* says that the one who is told has a batch that was to become current, and has it still.
    """
    partition = session.get_one(Partition, partition_id)
    name = label(partition.dataset.kind, partition.dataset.name, partition.name)
    last = session.scalars(
        select(PointerEvent)
        .where(PointerEvent.partition_id == partition_id)
        .order_by(PointerEvent.version.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return ConflictError(
            f"{name} has no version {seen}: nothing was published there yet.", "Name version 0."
        )
    return ConflictError(
        f"{name} is at version {last.version}, not {seen}: "
        f"{last.actor} won with a {last.op} at {last.at:%Y-%m-%d %H:%M:%S} UTC.",
        _KEPT if kept else _MOVED_ON,
    )
