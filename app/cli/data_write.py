"""Bringing data in, and saying what is current."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from app.batches import Order, Received, receive, seen_now
from app.cli.data_common import (
    actor,
    make_current,
    open_installation,
    reason_option,
    seen_option,
    tell_move,
    tell_moved,
    warn_of_schema,
)
from app.cli.options import json_option
from app.cli.output import print_json
from app.data_object import batch_object, pin_object, snapshot_object
from pipeline.installation import Installation
from provenance.datasets.brought import digest_of, keep_file, nothing_yet
from provenance.datasets.instants import read_end
from provenance.datasets.lookup import require_batch
from provenance.datasets.moves import Move, retire, rollback
from provenance.datasets.names import check_dataset, check_partition
from provenance.datasets.pins import pin, unpin
from provenance.datasets.prepare import prepare
from provenance.datasets.snapshots import SnapshotRow, make_snapshot, snapshots_of
from provenance.ledger.data_tables import Batch, Dataset, Pointer, PointerEvent


@dataclass(frozen=True)
class _Import:
    """The options of an import."""

    reason: str
    keep: bool
    stage_only: bool
    idempotency_key: str | None
    seen: int | None


_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=_file)
@click.argument("dataset")
@click.argument("partition")
@click.option("--reason", default="", help="Why; it stays in the log.")
@click.option("--keep", is_flag=True, help="Keep the bytes of a CSV file; else it gets Parquet.")
@click.option("--stage-only", is_flag=True, help="Write the batch, and leave current what is.")
@click.option(
    "--idempotency-key", help="Sent again under the same key, the same file is the same batch."
)
@seen_option
@json_option
def import_file(file: Path, dataset: str, partition: str, as_json: bool, **chosen: Any) -> None:
    """Make FILE the next batch of PARTITION, and the current one."""
    wanted = _Import(**chosen)
    installation = open_installation()
    new = replace(
        nothing_yet(check_dataset(dataset), actor()),
        partition=check_partition(partition),
        idempotency_key=wanted.idempotency_key,
    )
    seen = wanted.seen
    if seen is None:
        seen = seen_now(installation, new.kind, dataset, partition)
    with tempfile.TemporaryDirectory(prefix="provenote-") as folder:
        prepared = prepare(file, Path(folder), keep=wanted.keep)
        new = keep_file(installation.store, prepared, replace(new, sent=digest_of(file)))
    received = receive(installation, new, Order(seen, wanted.reason, wanted.stage_only))
    warn_of_schema(received.batch)
    _tell_same(installation, received)
    if received.event is not None:
        tell_move(new.kind, f"{dataset}/{partition}", received.event, received.batch)
    else:
        click.echo(f"Batch {received.batch.id} is written; nothing was published.", err=True)
    _print_batch(installation, received.batch, received.event, as_json)


def _tell_same(installation: Installation, received: Received) -> None:
    """Say where the batch has the content of the one that was current before it."""
    batch, event = received.batch, received.event
    with installation.ledger.reading() as session:
        pointer = session.get(Pointer, batch.partition_id)
        before = event.from_batch if event else pointer and pointer.batch_id
        other = session.get(Batch, before) if before and before != batch.id else None
    if other is not None and other.sha256 == batch.sha256:
        click.echo(f"It has the same content as batch {other.number}.", err=True)


def _print_batch(
    installation: Installation, batch: Batch, event: PointerEvent | None, as_json: bool
) -> None:
    if not as_json:
        click.echo(batch.id)
        return
    told = batch_object(batch, installation.base_url)
    print_json(told | {"published": event is not None, "version": event and event.version})


@click.command("publish")
@click.argument("batch_id", metavar="BATCH")
@click.option("--reason", default="", help="Why; it stays in the log.")
@seen_option
@json_option
def publish_batch(batch_id: str, reason: str, seen: int | None, as_json: bool) -> None:
    """Make BATCH, by its id, the current one of its partition."""
    installation = open_installation()
    with installation.ledger.reading() as session:
        batch = require_batch(session, batch_id)
        of = batch.partition
        wanted = Move(of.dataset.name, actor(), reason, of.dataset.kind, of.name, seen)
    make_current(installation, wanted, batch.id, as_json)


@click.command("rollback")
@click.argument("dataset")
@click.argument("partition")
@click.option("--to", metavar="BATCH", help="A batch by id or number; left out: the one before.")
@reason_option
@seen_option
@json_option
def roll_back(dataset: str, partition: str, to: str | None, as_json: bool, **why: Any) -> None:
    """Make a batch of PARTITION current again that was so before."""
    installation = open_installation()
    wanted = Move(dataset, actor(), partition=partition, **why)
    with installation.ledger.writing() as session:
        event = rollback(session, wanted, to)
    tell_moved(installation, wanted, event, as_json)


@click.command("retire")
@click.argument("dataset")
@click.argument("partition")
@reason_option
@seen_option
@json_option
def retire_partition(dataset: str, partition: str, as_json: bool, **why: Any) -> None:
    """Let no batch of PARTITION be current any more; all of them are kept."""
    installation = open_installation()
    wanted = Move(dataset, actor(), partition=partition, **why)
    with installation.ledger.writing() as session:
        event = retire(session, wanted)
    tell_moved(installation, wanted, event, as_json)


@click.command("pin")
@click.argument("batch_id", metavar="BATCH")
@click.option("--reason", default="", help="Why.")
@click.option("--until", metavar="INSTANT", help="When it ends by itself; left out: never.")
@json_option
def pin_batch(batch_id: str, reason: str, until: str | None, as_json: bool) -> None:
    """Hold on to BATCH, so that nothing collects it."""
    installation = open_installation()
    ends = read_end(until, "--until") if until is not None else None
    with installation.ledger.writing() as session:
        found = pin(session, require_batch(session, batch_id).id, actor(), reason, ends)
    click.echo(f"{batch_id} is pinned by {found.holder}.", err=True)
    if as_json:
        print_json(pin_object(found))


@click.command("unpin")
@click.argument("batch_id", metavar="BATCH")
@json_option
def unpin_batch(batch_id: str, as_json: bool) -> None:
    """Let go of BATCH."""
    installation = open_installation()
    holder = actor()
    with installation.ledger.writing() as session:
        unpin(session, batch_id, holder)
    click.echo(f"{batch_id} is no longer pinned by {holder}.", err=True)
    if as_json:
        print_json({"target": batch_id, "holder": holder, "pinned": False})


@click.command("snapshot")
@click.argument("dataset")
@click.argument("name")
@json_option
def take_snapshot(dataset: str, name: str, as_json: bool) -> None:
    """Keep which batches of DATASET are current, under NAME."""
    installation = open_installation()
    with installation.ledger.writing() as session:
        made = make_snapshot(session, dataset, name, actor())
        held = snapshots_of(session, session.get_one(Dataset, made.dataset_id))
    row = next(one for one in held if one.snapshot.id == made.id)
    _tell_snapshot(dataset, row)
    if as_json:
        print_json(snapshot_object(row))


def _tell_snapshot(dataset: str, row: SnapshotRow) -> None:
    name = row.snapshot.name
    click.echo(f"Snapshot {name} of {dataset} holds {row.batches} batches.", err=True)
