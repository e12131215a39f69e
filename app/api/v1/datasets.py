"""Datasets: what is current, what was, and moving it."""

from typing import Any

from flask import Response, jsonify

from app.api.v1.data_models import (
    BatchesQuery,
    BatchList,
    BatchObject,
    CurrentQuery,
    DatasetList,
    DatasetPath,
    EventObject,
    MoveBody,
    PartitionPath,
    PartitionsQuery,
    RollbackBody,
    SnapshotBody,
    SnapshotObject,
    UploadQuery,
    WholeDataset,
)
from app.api.v1.entrance import make_blueprint
from app.api.v1.uploads import take_upload
from app.current import actor, installation
from app.data_object import (
    batch_object,
    dataset_object,
    event_object,
    partition_object,
    snapshot_object,
)
from provenance.datasets.history import (
    batches,
    dataset_row,
    datasets,
    event_row,
    events,
    partitions,
)
from provenance.datasets.instants import read_instant
from provenance.datasets.lookup import require_dataset, require_partition
from provenance.datasets.moves import Move, retire, rollback
from provenance.datasets.names import DATA, check_partition
from provenance.datasets.publish import version_seen
from provenance.datasets.resolve import Reference, resolve
from provenance.datasets.snapshots import make_snapshot, snapshots_of
from provenance.ledger.data_tables import Dataset

blueprint = make_blueprint("api_datasets")
_PARTITION = "/datasets/<string:dataset>/partitions/<path:partition>"


@blueprint.get("/datasets", responses={200: DatasetList})
def list_datasets() -> Response:
    """List all datasets."""
    base = installation().base_url
    with installation().ledger.reading() as session:
        items = [dataset_object(row, base) for row in datasets(session)]
    return jsonify({"items": items})


@blueprint.get("/datasets/<string:dataset>", responses={200: WholeDataset})
def show_dataset(path: DatasetPath, query: PartitionsQuery) -> Response:
    """Show a dataset with what is current in its partitions."""
    base = installation().base_url
    with installation().ledger.reading() as session:
        found = require_dataset(session, DATA, path.dataset)
        rows = partitions(session, found, query.limit + 1, query.cursor)
        told: dict[str, Any] = dataset_object(dataset_row(session, found), base)
        told["items"] = [partition_object(row, base) for row in rows[: query.limit]]
        told["snapshots"] = [snapshot_object(row) for row in snapshots_of(session, found)]
    told["next"] = told["items"][-1]["name"] if len(rows) > query.limit else None
    return jsonify(told)


@blueprint.get(f"{_PARTITION}/batches", responses={200: BatchList})
def list_batches(path: PartitionPath, query: BatchesQuery) -> Response:
    """List the batches of a partition, published or not, and the moves of its pointer."""
    base = installation().base_url
    with installation().ledger.reading() as session:
        found = require_partition(session, _named(path))
        rows = batches(session, found, query.limit + 1, query.cursor)
        moved = events(session, found.dataset, found, query.limit)
        version = version_seen(session, DATA, path.dataset, found.name)
    items = [batch_object(row, base) for row in rows[: query.limit]]
    more = items[-1]["number"] if len(rows) > query.limit else None
    told = {"items": items, "next": more, "events": [event_object(row) for row in moved]}
    return jsonify(told | {"version": version})


@blueprint.get(f"{_PARTITION}/current", responses={200: BatchObject})
def show_current(path: PartitionPath, query: CurrentQuery) -> Response:
    """Show the current batch of a partition, or the one of an instant or snapshot."""
    moment = read_instant(query.as_of, "as_of") if query.as_of is not None else None
    wanted = Reference(DATA, path.dataset, check_partition(path.partition), snapshot=query.snapshot)
    with installation().ledger.reading() as session:
        found = resolve(session, wanted, moment)[0]
    return jsonify(batch_object(found, installation().base_url))


@blueprint.post(f"{_PARTITION}/batches", responses={200: BatchObject, 201: BatchObject})
def upload_batch(path: PartitionPath, query: UploadQuery) -> tuple[Response, int]:
    """Send a file as the next batch of a partition, and make it current.

    Answers 201; under an Idempotency-Key that was sent before, 200 and the batch that is there,
    or 409 where the content is another.
    """
    received, new = take_upload(path.dataset, path.partition, query)
    told = batch_object(received.batch, installation().base_url)
    event = received.event
    told |= {"published": event is not None, "version": event.version if event else None}
    response = jsonify(told)
    response.headers["Location"] = told["links"]["self"]
    return response, 201 if new else 200


@blueprint.post(f"{_PARTITION}/rollback", responses={200: EventObject})
def roll_back(path: PartitionPath, body: RollbackBody) -> Response:
    """Make a batch current again that was so before."""
    wanted = _move(path, body)
    with installation().ledger.writing() as session:
        event = rollback(session, wanted, body.to)
        return jsonify(event_object(event_row(session, path.partition, event)))


@blueprint.post(f"{_PARTITION}/retire", responses={200: EventObject})
def retire_partition(path: PartitionPath, body: MoveBody) -> Response:
    """Let no batch of a partition be current any more; all of them are kept."""
    wanted = _move(path, body)
    with installation().ledger.writing() as session:
        event = retire(session, wanted)
        return jsonify(event_object(event_row(session, path.partition, event)))


@blueprint.post("/datasets/<string:dataset>/snapshots", responses={201: SnapshotObject})
def take_snapshot(path: DatasetPath, body: SnapshotBody) -> tuple[Response, int]:
    """Keep which batches of a dataset are current, under a name."""
    with installation().ledger.writing() as session:
        made = make_snapshot(session, path.dataset, body.name, actor())
        every = snapshots_of(session, session.get_one(Dataset, made.dataset_id))
        row = next(one for one in every if one.snapshot.id == made.id)
        return jsonify(snapshot_object(row)), 201


def _named(path: PartitionPath) -> Reference:
    return Reference(DATA, path.dataset, check_partition(path.partition))


def _move(path: PartitionPath, body: MoveBody) -> Move:
    return Move(
        path.dataset,
        actor(),
        body.reason,
        partition=check_partition(path.partition),
        seen=body.seen,
    )
