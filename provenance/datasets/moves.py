"""Moving a pointer by hand: back, to a batch of one's choice, to nothing. Each is an event."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.datasets.errors import NothingBeforeError, NothingYetError
from provenance.datasets.lookup import batch_of, require_partition
from provenance.datasets.names import DATA, MAIN, MODEL, check_partition, label
from provenance.datasets.publish import conflict, move
from provenance.ledger.data_tables import Batch, Partition, Pointer, PointerEvent

_CHOOSING = {DATA: "publish", MODEL: "promote"}
"""What the event is called by which somebody makes a batch or a version current."""
_WAS_CHOSEN = ("publish", "promote")
"""What a rollback undoes; a version of a model is published as it is saved."""


@dataclass(frozen=True)
class Move:
    """Who moves which pointer, and why."""

    dataset: str
    """The name of the dataset or model."""
    actor: str
    reason: str
    kind: str = DATA
    partition: str = MAIN
    seen: int | None = None
    """The version of the pointer that the decision rests on; None: as it is now."""
    run_id: str | None = None

    @property
    def name(self) -> str:
        """What people call the partition."""
        return label(self.kind, self.dataset, self.partition)


def rollback(session: Session, wanted: Move, to: str | int | None = None) -> PointerEvent:
    """Make a batch current again that was so before; left out: the one before the present one.

    That is the batch that was current when the present one was published or promoted; after a
    retirement, the one that was retired. It is a new event: the version grows. Raises
    NothingBeforeError, UnknownBatchError, NothingYetError or ConflictError.
    """
    partition = _partition(session, wanted)
    pointer = _pointer(session, wanted, partition)
    if to is None:
        target = _before(session, wanted, pointer)
    else:
        batch = batch_of(session, wanted, to)
        if not _was_current(session, batch):
            raise NothingBeforeError(
                f"Batch {batch.number} ({batch.id}) of {wanted.name} was never current.",
                f"`provenote data publish {batch.id}` makes it so.",
            )
        target = batch.id
    return _move(session, wanted, pointer, "rollback", target)


def rollback_target(session: Session, wanted: Move) -> Batch | None:
    """Return the batch that a rollback would make current; None where there is none."""
    partition = require_partition(session, wanted)
    pointer = session.get(Pointer, partition.id)
    if pointer is None:
        return None
    try:
        return session.get_one(Batch, _before(session, wanted, pointer))
    except NothingBeforeError:
        return None


def promote(session: Session, wanted: Move, to: str | int) -> PointerEvent:
    """Make any batch of the partition current, by id or number; of a model, a version.

    Of what is current already nothing is written: the event that made it so is returned, as
    `standing` does. Raises UnknownDatasetError, UnknownBatchError or ConflictError.
    """
    if (stands := standing(session, wanted, to)) is not None:
        return stands
    partition = _partition(session, wanted)
    target = batch_of(session, wanted, to).id
    pointer = session.get(Pointer, partition.id, populate_existing=True)
    return _move(session, wanted, pointer or _unset(partition), _CHOOSING[wanted.kind], target)


def standing(session: Session, wanted: Move, to: str | int) -> PointerEvent | None:
    """Return the event that the pointer stands at, where the batch *to* is current already.

    None where it is not, or the pointer has moved since it was seen: then a move is refused.
    Raises UnknownDatasetError or UnknownBatchError.
    """
    partition = _partition(session, wanted)
    target = batch_of(session, wanted, to).id
    pointer = session.get(Pointer, partition.id, populate_existing=True)
    if pointer is None or pointer.batch_id != target:
        return None
    if wanted.seen not in (None, pointer.version):
        return None
    return session.get_one(PointerEvent, (partition.id, pointer.version))


def retire(session: Session, wanted: Move) -> PointerEvent:
    """Let nothing be current any more; the batches stay. Raises NothingYetError, ConflictError."""
    partition = _partition(session, wanted)
    pointer = _pointer(session, wanted, partition)
    if pointer.batch_id is None:
        raise NothingBeforeError(f"{wanted.name} is retired already.")
    return _move(session, wanted, pointer, "retire", None)


def _move(
    session: Session, wanted: Move, pointer: Pointer, op: str, target: str | None
) -> PointerEvent:
    event = PointerEvent(
        partition_id=pointer.partition_id,
        op=op,
        actor=wanted.actor,
        reason=wanted.reason,
        run_id=wanted.run_id,
    )
    seen = pointer.version if wanted.seen is None else wanted.seen
    return move(session, event, target, seen)


def _partition(session: Session, wanted: Move) -> Partition:
    """Return the one partition that is meant: a pattern, which reads several, moves nothing."""
    check_partition(wanted.partition)
    return require_partition(session, wanted)


def _unset(partition: Partition) -> Pointer:
    """Return what stands for the pointer of a partition in which nothing was published yet."""
    return Pointer(partition_id=partition.id, batch_id=None, version=0)


def _pointer(session: Session, wanted: Move, partition: Partition) -> Pointer:
    found = session.get(Pointer, partition.id, populate_existing=True)
    if found is None:
        raise NothingYetError(f"Nothing was published in {wanted.name} yet.")
    if wanted.seen not in (None, found.version):
        # Before anything is found to be wrong with what was decided on an older version.
        raise conflict(session, partition.id, int(wanted.seen or 0))
    return found


def _before(session: Session, wanted: Move, pointer: Pointer) -> str:
    """Return what was current when the present batch was chosen; rollbacks choose nothing.

    Nor does a move from a batch to itself: there would be no way back beyond it.
    """
    events = select(PointerEvent).where(
        PointerEvent.partition_id == pointer.partition_id,
        PointerEvent.from_batch.is_distinct_from(PointerEvent.to_batch),
    )
    if pointer.batch_id is None:
        events = events.where(PointerEvent.to_batch.is_(None))
    else:
        chosen = PointerEvent.op.in_(_WAS_CHOSEN)
        events = events.where(PointerEvent.to_batch == pointer.batch_id, chosen)
    last = session.scalars(events.order_by(PointerEvent.version.desc()).limit(1)).one()
    if last.from_batch is None:
        raise NothingBeforeError(
            f"Nothing was current in {wanted.name} before the batch that is current now.",
            "Name a batch with --to, or retire the partition.",
        )
    return last.from_batch


def _was_current(session: Session, batch: Batch) -> bool:
    moved = select(PointerEvent.version).where(
        PointerEvent.partition_id == batch.partition_id, PointerEvent.to_batch == batch.id
    )
    return session.scalar(moved.limit(1)) is not None
