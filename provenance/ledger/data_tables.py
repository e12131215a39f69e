"""The tables of datasets and models: named data, its slices, and their immutable versions.

A batch is never changed and never deleted; a pointer says which one is current, and each move
of a pointer is an event that stays.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    or_,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provenance.ledger.columns import Base, utc_now
from provenance.ledger.tables import Run


class Dataset(Base):
    """Named data, or a model; names are shared by all projects of an installation."""

    __tablename__ = "dataset"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``data`` or ``model``."""
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by: Mapped[str]


class Partition(Base):
    """A slice of a dataset, such as one day; a model has one, called ``main``."""

    __tablename__ = "partition"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    dataset: Mapped[Dataset] = relationship(lazy="joined", innerjoin=True)


class Batch(Base):
    """One immutable version of a partition; of a model, one version of it."""

    __tablename__ = "batch"
    __table_args__ = (
        UniqueConstraint("partition_id", "number"),
        UniqueConstraint("partition_id", "idempotency_key"),
        Index("ix_batch_sha256", "sha256"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    partition_id: Mapped[str] = mapped_column(ForeignKey("partition.id"))
    number: Mapped[int]
    """Counts the batches of a partition from 1: a model's version."""
    state: Mapped[str]
    """``committed``: a batch is written whole or not at all, published or not."""
    sha256: Mapped[str]
    """Digest of the file in the store."""
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes."""
    media_type: Mapped[str]
    filename: Mapped[str]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    columns: Mapped[list[Any] | None]
    """``[{"name", "type"}]`` of a table, in order."""
    schema_change: Mapped[str | None]
    """What differs from the schema of the batch that was current before; null where nothing."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """A model's metadata and metrics; of data what its maker said of it."""
    record: Mapped[str | None]
    """Digest of the record of the job that made it; null for what was imported."""
    run_id: Mapped[str | None] = mapped_column(ForeignKey(Run.id), index=True)
    actor: Mapped[str]
    idempotency_key: Mapped[str | None]
    """Who publishes the same thing again under the same key gets this batch."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    partition: Mapped[Partition] = relationship(lazy="joined", innerjoin=True)


class Pointer(Base):
    """Which batch of a partition is current; none where the partition was retired."""

    __tablename__ = "pointer"

    partition_id: Mapped[str] = mapped_column(ForeignKey("partition.id"), primary_key=True)
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("batch.id"))
    version: Mapped[int]
    """Grows by one with each event; a writer has to name the one that it saw."""


class PointerEvent(Base):
    """One move of a pointer; append-only."""

    __tablename__ = "pointer_event"
    __table_args__ = (Index("ix_pointer_event_partition_id_at", "partition_id", "at"),)

    partition_id: Mapped[str] = mapped_column(ForeignKey("partition.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str]
    """``publish``, ``rollback``, ``promote`` or ``retire``."""
    from_batch: Mapped[str | None] = mapped_column(ForeignKey("batch.id"))
    to_batch: Mapped[str | None] = mapped_column(ForeignKey("batch.id"))
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    run_id: Mapped[str | None] = mapped_column(ForeignKey(Run.id), index=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Snapshot(Base):
    """The current batches of a dataset at one moment, under a name."""

    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str]
    actor: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SnapshotBatch(Base):
    """One batch of a snapshot."""

    __tablename__ = "snapshot_batch"

    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    partition_id: Mapped[str] = mapped_column(ForeignKey("partition.id"), primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"))


class Pin(Base):
    """Somebody holds on to a batch, a run or an object: nothing collects it."""

    __tablename__ = "pin"
    __table_args__ = (UniqueConstraint("holder", "target"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    target: Mapped[str] = mapped_column(index=True)
    """Id of a batch or run, or the digest of an object."""
    reason: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @classmethod
    def holds(cls, now: BindParameter[datetime] | None = None) -> ColumnElement[bool]:
        """Say of a pin that it has not run out, *now* if a query is kept for later."""
        return or_(cls.expires_at.is_(None), cls.expires_at > (utc_now() if now is None else now))
