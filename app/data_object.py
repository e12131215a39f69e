"""Datasets, batches, events and models as the interface for programs and the commands tell them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from app.run_object import instant
from provenance.datasets.history import DatasetRow, EventRow, PartitionRow
from provenance.datasets.models import metadata_of, metrics_of
from provenance.datasets.snapshots import SnapshotRow
from provenance.ledger.data_tables import Batch, Partition, Pin


def batch_object(batch: Batch, base_url: str) -> dict[str, Any]:
    """Return *batch* in JSON form, with links below *base_url*."""
    partition = batch.partition
    return {
        "id": batch.id,
        "kind": partition.dataset.kind,
        "dataset": partition.dataset.name,
        "partition": partition.name,
        "number": batch.number,
        "sha256": batch.sha256,
        "size": batch.size,
        "media_type": batch.media_type,
        "filename": batch.filename,
        "rows": batch.rows,
        "columns": batch.columns,
        "schema_change": batch.schema_change,
        "details": batch.details,
        "record": batch.record,
        "run": batch.run_id,
        "actor": batch.actor,
        "created_at": instant(batch.created_at),
        "links": _batch_links(batch, base_url),
    }


def _batch_links(batch: Batch, base_url: str) -> dict[str, str]:
    base = base_url.rstrip("/")
    own = f"{base}/api/v1/batches/{batch.id}"
    links = {"self": own, "content": f"{own}/content", "page": f"{base}/batches/{batch.id}"}
    if batch.run_id is not None:
        links["run"] = f"{base}/runs/{batch.run_id}"
    return links


def event_object(row: EventRow) -> dict[str, Any]:
    """Return one move of a pointer in JSON form."""
    event = row.event
    return {
        "partition": row.partition,
        "version": event.version,
        "op": event.op,
        "from": event.from_batch,
        "to": event.to_batch,
        "from_number": row.from_number,
        "to_number": row.to_number,
        "schema_change": row.schema_change,
        "actor": event.actor,
        "reason": event.reason,
        "run": event.run_id,
        "at": instant(event.at),
    }


def dataset_object(row: DatasetRow, base_url: str) -> dict[str, Any]:
    """Return a dataset in JSON form."""
    base, name = base_url.rstrip("/"), quote(row.name, safe="")
    return {
        "name": row.name,
        "description": row.description,
        "partitions": row.partitions,
        "batches": row.batches,
        "size": row.size,
        "moved_at": instant(row.moved_at),
        "links": {"self": f"{base}/api/v1/datasets/{name}", "page": f"{base}/datasets/{name}"},
    }


def partition_object(row: PartitionRow, base_url: str) -> dict[str, Any]:
    """Return a partition with its current batch in JSON form."""
    batch, event = row.batch, row.event
    return {
        "name": row.partition.name,
        "version": event.version if event is not None else 0,
        "batch": batch_object(batch, base_url) if batch is not None else None,
        "batches": row.batches,
        "op": event.op if event is not None else None,
        "actor": event.actor if event is not None else None,
        "reason": event.reason if event is not None else None,
        "at": instant(event.at) if event is not None else None,
        "links": {"log": f"{partition_address(row.partition, base_url)}/batches"},
    }


def partition_address(partition: Partition, base_url: str) -> str:
    """Return where the interface has what belongs to *partition*; slashes stay slashes."""
    dataset = quote(partition.dataset.name, safe="")
    inside = f"datasets/{dataset}/partitions/{quote(partition.name, safe='/')}"
    return f"{base_url.rstrip('/')}/api/v1/{inside}"


def snapshot_object(row: SnapshotRow) -> dict[str, Any]:
    """Return a snapshot in JSON form."""
    snapshot = row.snapshot
    return {
        "name": snapshot.name,
        "batches": row.batches,
        "actor": snapshot.actor,
        "created_at": instant(snapshot.created_at),
    }


def pin_object(pin: Pin) -> dict[str, Any]:
    """Return a pin in JSON form."""
    return {
        "holder": pin.holder,
        "target": pin.target,
        "reason": pin.reason,
        "expires_at": instant(pin.expires_at),
        "created_at": instant(pin.created_at),
    }


def model_object(row: DatasetRow, latest: int | None, base_url: str) -> dict[str, Any]:
    """Return a model in JSON form; *latest* is the promoted version, None where there is none."""
    base, name = base_url.rstrip("/"), quote(row.name, safe="")
    own = f"{base}/api/v1/models/{name}"
    links = {"self": own, "page": f"{base}/models/{name}"}
    if latest is not None:
        links["latest"] = f"{own}/latest"
    return {
        "name": row.name,
        "description": row.description,
        "latest": latest,
        "versions": row.batches,
        "size": row.size,
        "moved_at": instant(row.moved_at),
        "links": links,
    }


def version_object(batch: Batch, promoted: bool, base_url: str) -> dict[str, Any]:
    """Return one version of a model in JSON form."""
    told = batch_object(batch, base_url)
    name = quote(batch.partition.dataset.name, safe="")
    own = f"{base_url.rstrip('/')}/api/v1/models/{name}/versions/{batch.number}"
    links: Mapping[str, str] = told["links"] | {"self": own, "package": f"{own}/package"}
    taken = ("sha256", "size", "media_type", "filename", "record", "run", "actor", "created_at")
    return {
        "name": batch.partition.dataset.name,
        "version": batch.number,
        "batch": batch.id,
        "promoted": promoted,
        "metadata": metadata_of(batch),
        "metrics": metrics_of(batch),
        "format": batch.details.get("format", "file"),
        **{key: told[key] for key in taken},
        "links": links,
    }
