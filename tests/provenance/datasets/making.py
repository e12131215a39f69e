"""Batches in a ledger, without files."""

import hashlib
from typing import Any

from provenance.datasets.publish import By, NewBatch, publish, stage_batch, version_seen
from provenance.ledger.data_tables import Batch, PointerEvent
from provenance.ledger.engine import Ledger

DAY = "2013-01-31"
PRICES = ({"name": "item", "type": "string"}, {"name": "price", "type": "int64"})


def new_batch(content: str = "a", **values: Any) -> NewBatch:
    facts: dict[str, Any] = {
        "dataset": "sold",
        "partition": DAY,
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "size": len(content),
        "media_type": "text/csv",
        "filename": "sold.csv",
        "actor": "ada",
    }
    return NewBatch(**(facts | values))


def stage(ledger: Ledger, content: str = "a", **values: Any) -> Batch:
    with ledger.writing() as session:
        return stage_batch(session, new_batch(content, **values))


def put_forward(
    ledger: Ledger, batch: Batch, seen: int | None = None, **values: Any
) -> PointerEvent:
    of = batch.partition
    with ledger.writing() as session:
        if seen is None:
            seen = version_seen(session, of.dataset.kind, of.dataset.name, of.name)
        return publish(session, batch, seen, By("ada", **values))


def published(ledger: Ledger, content: str = "a", **values: Any) -> Batch:
    """Write a batch and make it current, whatever was so before."""
    batch = stage(ledger, content, **values)
    put_forward(ledger, batch)
    return batch
