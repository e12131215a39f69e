"""Finding datasets, partitions, batches and snapshots by name; who errs is told the nearest."""

from typing import Protocol

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from provenance.datasets.errors import (
    UnknownBatchError,
    UnknownDatasetError,
    UnknownPartitionError,
    UnknownSnapshotError,
)
from provenance.datasets.names import MODEL, fits, is_pattern, label
from provenance.ledger.data_tables import Batch, Dataset, Partition, Snapshot
from provenance.nearest import COMPARED, did_you_mean_or_all


class Named(Protocol):
    """A partition by name, such as a `Reference`."""

    @property
    def kind(self) -> str:
        """``data`` or ``model``."""
        ...

    @property
    def dataset(self) -> str:
        """The name of the dataset or model."""
        ...

    @property
    def partition(self) -> str:
        """The name of the partition, or a pattern."""
        ...


def require_dataset(session: Session, kind: str, name: str) -> Dataset:
    """Return the dataset or model called *name*; raise UnknownDatasetError."""
    same = (Dataset.kind == kind, Dataset.name == name)
    if (found := session.scalars(select(Dataset).where(*same)).one_or_none()) is not None:
        return found
    names = select(Dataset.name).where(Dataset.kind == kind).order_by(Dataset.name)
    known = session.scalars(names.limit(COMPARED)).all()
    noun = "model" if kind == MODEL else "dataset"
    raise UnknownDatasetError(
        f"There is no {noun} {name[:100]!r}.",
        did_you_mean_or_all(name, known) or f"There is no {noun} yet.",
    )


def require_partition(session: Session, named: Named) -> Partition:
    """Return the partition, or any that fits a pattern; raise UnknownPartitionError."""
    dataset = require_dataset(session, named.kind, named.dataset)
    query = select(Partition).where(Partition.dataset_id == dataset.id).order_by(Partition.name)
    if is_pattern(named.partition):
        every = session.scalars(query)
        found = next((one for one in every if fits(one.name, named.partition)), None)
    else:
        found = session.scalars(query.where(Partition.name == named.partition)).one_or_none()
    if found is not None:
        return found
    known = [one.name for one in session.scalars(query.limit(COMPARED))]
    raise UnknownPartitionError(
        f"Dataset {named.dataset!r} has no partition {named.partition[:200]!r}.",
        did_you_mean_or_all(named.partition, known),
    )


def batch_of(session: Session, named: Named, batch: str | int) -> Batch:
    """Return the batch of a partition by its id or number; raise UnknownBatchError."""
    partition = require_partition(session, named)
    # A number that is longer than any column could not even be asked for.
    by_number = Batch.number == int(batch) if _is_number(str(batch)) else false()
    wanted = by_number if isinstance(batch, int) else or_(Batch.id == batch, by_number)
    query = select(Batch).where(Batch.partition_id == partition.id)
    found = session.scalars(query.where(wanted)).one_or_none()
    if found is not None:
        return found
    raise UnknownBatchError(*_unknown(session, named, partition, batch))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _unknown(
    session: Session, named: Named, partition: Partition, batch: str | int
) -> tuple[str, str]:
    name = label(named.kind, named.dataset, named.partition)
    if isinstance(batch, str) and (other := session.get(Batch, batch)) is not None:
        of = other.partition
        where = label(of.dataset.kind, of.dataset.name, of.name)
        return f"Batch {batch} does not belong to {name}.", f"It is one of {where}."
    newest = session.scalars(
        select(Batch)
        .where(Batch.partition_id == partition.id)
        .order_by(Batch.number.desc())
        .limit(COMPARED)
    ).all()
    noun = "version" if named.kind == MODEL else "batch"
    known = [str(one.number) if _is_number(str(batch)) else one.id for one in newest]
    return f"{name} has no {noun} {str(batch)[:100]!r}.", did_you_mean_or_all(str(batch), known)


def require_batch(session: Session, batch_id: str) -> Batch:
    """Return the batch with this id; raise UnknownBatchError."""
    found = session.get(Batch, batch_id)
    if found is None:
        number = "A number counts within its partition; name the id. "
        raise UnknownBatchError(
            f"There is no batch {batch_id[:100]!r}.",
            f"{number if _is_number(batch_id) else ''}"
            "`provenote data ls DATASET PARTITION` lists the batches of a partition.",
        )
    return found


def snapshot_named(session: Session, dataset: Dataset, name: str) -> Snapshot:
    """Return the snapshot of *dataset* called *name*; raise UnknownSnapshotError."""
    query = select(Snapshot).where(Snapshot.dataset_id == dataset.id)
    found = session.scalars(query.where(Snapshot.name == name)).one_or_none()
    if found is not None:
        return found
    known = [one.name for one in session.scalars(query.order_by(Snapshot.name).limit(COMPARED))]
    raise UnknownSnapshotError(
        f"Dataset {dataset.name!r} has no snapshot {name[:100]!r}.",
        did_you_mean_or_all(name, known)
        or f"`provenote data snapshot {dataset.name} NAME` makes one.",
    )
