"""How a batch comes in, from wherever: written first, then published, in two transactions."""

from dataclasses import dataclass

from pipeline.installation import Installation
from provenance.datasets.history import times_current
from provenance.datasets.publish import By, NewBatch, publish, stage_batch, version_seen
from provenance.ledger.data_tables import Batch, PointerEvent


@dataclass(frozen=True)
class Order:
    """How a batch is to be published."""

    seen: int
    """The version of the pointer that the sender knew; 0: nothing was published yet."""
    reason: str = ""
    stage_only: bool = False
    """Write the batch and publish nothing."""


@dataclass(frozen=True)
class Received:
    """A batch that came in, and the event that published it, where one did."""

    batch: Batch
    event: PointerEvent | None


def seen_now(installation: Installation, kind: str, dataset: str, partition: str) -> int:
    """Return the version of a pointer at this moment: what a writer who looks now has seen."""
    with installation.ledger.reading() as session:
        return version_seen(session, kind, dataset, partition)


def receive(installation: Installation, new: NewBatch, order: Order) -> Received:
    """Write *new*, whose file is in the store, and publish it as *order* says.

    Sent again under its idempotency key, a batch that was published once is not published
    again. Raises ConflictError where the pointer has moved: then the batch stays, unpublished.
    """
    with installation.ledger.writing() as session:
        batch = stage_batch(session, new)
        before = times_current(session, batch)
    if order.stage_only or before:
        return Received(batch, before[0] if before else None)
    with installation.ledger.writing() as session:
        event = publish(session, batch, order.seen, By(new.actor, order.reason, new.run_id))
    return Received(batch, event)
