"""Snapshots: the current batches of a dataset at one moment, under a name."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.datasets.errors import NothingYetError, SnapshotExistsError
from provenance.datasets.lookup import require_dataset
from provenance.datasets.names import DATA, check_dataset
from provenance.datasets.publish import insert_new
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Dataset, Partition, Pointer, Snapshot, SnapshotBatch
from provenance.ledger.ids import new_id


@dataclass(frozen=True)
class SnapshotRow:
    """What a list says of a snapshot."""

    snapshot: Snapshot
    batches: int


def make_snapshot(session: Session, dataset: str, name: str, actor: str) -> Snapshot:
    """Keep which batches of *dataset* are current under *name*, which is never given again.

    Raises UnknownDatasetError, InvalidNameError, SnapshotExistsError, NothingYetError.
    """
    found = require_dataset(session, DATA, dataset)
    values = {"id": new_id("snap"), "dataset_id": found.id, "name": check_dataset(name)}
    if not insert_new(session, Snapshot, **values, actor=actor, created_at=utc_now()):
        raise SnapshotExistsError(
            f"Dataset {dataset!r} has a snapshot {name!r} already.",
            "A snapshot never changes; take another name.",
        )
    current = session.execute(
        select(Pointer.partition_id, Pointer.batch_id)
        .join(Partition, Partition.id == Pointer.partition_id)
        .where(Partition.dataset_id == found.id, Pointer.batch_id.is_not(None))
    )
    held = [
        SnapshotBatch(snapshot_id=values["id"], partition_id=partition, batch_id=batch)
        for partition, batch in current
    ]
    if not held:
        raise NothingYetError(
            f"Dataset {dataset!r} has no current batch.", "There is nothing to keep in a snapshot."
        )
    session.add_all(held)
    session.flush()
    return session.get_one(Snapshot, values["id"])


def snapshots_of(session: Session, dataset: Dataset) -> Sequence[SnapshotRow]:
    """Return the snapshots of *dataset*, newest first."""
    rows = session.execute(
        select(Snapshot, func.count(SnapshotBatch.batch_id))
        .outerjoin(SnapshotBatch, SnapshotBatch.snapshot_id == Snapshot.id)
        .where(Snapshot.dataset_id == dataset.id)
        .group_by(Snapshot.id)
        .order_by(Snapshot.id.desc())
    )
    return [SnapshotRow(snapshot, count) for snapshot, count in rows]
