"""Looking at datasets, and getting data out of them."""

import sys
from pathlib import Path

import click

from app.cli.data_common import (
    Chosen,
    choosing,
    in_bytes,
    open_installation,
    tell,
    tell_event,
)
from app.cli.data_files import laid_out, lasting_copy, write_out
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.data_object import (
    batch_object,
    dataset_object,
    event_object,
    partition_object,
    pin_object,
    snapshot_object,
)
from app.web.filters import plural
from pipeline.installation import Installation
from provenance.datasets.forms import FORMATS
from provenance.datasets.history import (
    batches,
    dataset_row,
    datasets,
    events,
    partitions,
    times_current,
)
from provenance.datasets.lookup import require_dataset, require_partition
from provenance.datasets.names import DATA
from provenance.datasets.pins import pins_of
from provenance.datasets.publish import pointer_of
from provenance.datasets.resolve import Reference
from provenance.datasets.snapshots import snapshots_of
from provenance.ledger.data_tables import Batch

_ALL = 1_000_000
format_option = click.option(
    "--format", "form", type=click.Choice([*FORMATS]), help="Left out: the form it is kept in."
)


@click.command("ls")
@click.argument("dataset", required=False)
@click.argument("partition", required=False)
@json_option
def ls(dataset: str | None, partition: str | None, as_json: bool) -> None:
    """List all datasets, the partitions of DATASET, or the batches of PARTITION."""
    installation = open_installation()
    if dataset is not None and partition is not None:
        _list_batches(installation, dataset, partition, as_json)
    elif dataset is not None:
        _list_partitions(installation, dataset, as_json)
    else:
        _list_datasets(installation, as_json)


def _list_datasets(installation: Installation, as_json: bool) -> None:
    with installation.ledger.reading() as session:
        rows = datasets(session)
    if as_json:
        print_json({"items": [dataset_object(row, installation.base_url) for row in rows]})
        return
    for row in rows:
        counted = (plural(row.partitions, "partition"), plural(row.batches, "batch", "batches"))
        tell(row.name, *counted, in_bytes(row.size))
    if not rows:
        click.echo("No datasets yet. Bring one in: provenote data import FILE DATASET PARTITION")


def _list_batches(installation: Installation, dataset: str, partition: str, as_json: bool) -> None:
    with installation.ledger.reading() as session:
        found = require_partition(session, Reference(DATA, dataset, partition))
        rows = batches(session, found, _ALL)
        pointer = pointer_of(session, DATA, dataset, partition)
    if as_json:
        print_json({"items": [batch_object(row, installation.base_url) for row in rows]})
        return
    for row in rows:
        current = pointer is not None and pointer.batch_id == row.id
        tell(*_batch_told(row), "current" if current else "")


def _batch_told(batch: Batch) -> tuple[object, ...]:
    rows = f"{batch.rows} rows" if batch.rows is not None else None
    return f"#{batch.number}", batch.id, rows, in_bytes(batch.size), f"by {batch.actor}"


def _list_partitions(installation: Installation, dataset: str, as_json: bool) -> None:
    with installation.ledger.reading() as session:
        rows = partitions(session, require_dataset(session, DATA, dataset), _ALL)
    if as_json:
        print_json({"items": [partition_object(row, installation.base_url) for row in rows]})
        return
    for row in rows:
        if row.batch is None:
            state = "retired" if row.event is not None else "nothing published"
            tell(row.partition.name, state, f"{row.batches} batches")
            continue
        tell(row.partition.name, *_batch_told(row.batch))


@click.command("show")
@click.argument("dataset")
@click.argument("partition", required=False)
@choosing
@json_option
def show(dataset: str, partition: str | None, as_json: bool, **chosen: str | None) -> None:
    """Show DATASET with its snapshots, or a batch of one PARTITION: by default the current."""
    installation = open_installation()
    if partition is not None:
        _show_batch(installation, dataset, partition, Chosen(**chosen), as_json)
        return
    if any(chosen.values()):
        raise click.UsageError("--batch, --as-of and --snapshot need a PARTITION.")
    with installation.ledger.reading() as session:
        found = require_dataset(session, DATA, dataset)
        row = dataset_row(session, found)
        inside = partitions(session, found, _ALL)
        kept = snapshots_of(session, found)
    told = dataset_object(row, installation.base_url)
    told["partitions"] = [partition_object(one, installation.base_url) for one in inside]
    told["snapshots"] = [snapshot_object(one) for one in kept]
    if as_json:
        print_json(told)
        return
    click.secho(dataset, bold=True)
    counted = f"{plural(row.partitions, 'partition')}, {plural(row.batches, 'batch', 'batches')}"
    click.echo(f"  {counted}, {in_bytes(row.size)}")
    for one in inside:
        current = f"#{one.batch.number} {one.batch.id}" if one.batch is not None else "nothing"
        click.echo(f"  {one.partition.name:<20} {current}")
    for held in kept:
        click.echo(f"  snapshot {held.snapshot.name:<11} {held.batches} batches")


def _show_batch(
    installation: Installation, dataset: str, partition: str, chosen: Chosen, as_json: bool
) -> None:
    found = chosen.find(installation, dataset, partition)
    with installation.ledger.reading() as session:
        was = times_current(session, found)
        pins = pins_of(session, found.id)
    told = batch_object(found, installation.base_url)
    told["pins"] = [pin_object(one) for one in pins]
    if as_json:
        print_json(told)
        return
    click.secho(f"{dataset}/{partition}  #{found.number}", bold=True)
    rows = f"{found.rows} rows, " if found.rows is not None else ""
    lines = {
        "batch": found.id,
        "content": f"{rows}{in_bytes(found.size)}, {found.media_type}",
        "sha256": found.sha256,
        "made by": f"{found.actor} {told['created_at']}" + (f" {found.run_id or ''}"),
        "published": ", ".join(f"v{event.version} ({event.op})" for event in was) or "never",
        "pinned by": ", ".join(one.holder for one in pins) or "nobody",
    }
    if found.schema_change:
        lines["change"] = found.schema_change
    for name, text in lines.items():
        say(f"  {name:<10} {text}")
    for column in found.columns or []:
        say(f"  column     {column['name']}: {column['type']}")


@click.command("log")
@click.argument("dataset")
@click.argument("partition", required=False)
@json_option
def log(dataset: str, partition: str | None, as_json: bool) -> None:
    """Tell how the pointers of DATASET, or of one PARTITION, moved: who, when, why."""
    installation = open_installation()
    with installation.ledger.reading() as session:
        inside = None
        if partition is not None:
            inside = require_partition(session, Reference(DATA, dataset, partition))
        rows = events(session, require_dataset(session, DATA, dataset), inside, _ALL)
    if as_json:
        print_json({"items": [event_object(row) for row in rows]})
        return
    for row in rows:
        tell_event(row)


@click.command("export")
@click.argument("dataset")
@click.argument("partition")
@click.option("-o", "--output", default="-", help="A file; left out or -: standard output.")
@format_option
@choosing
@json_option
def export(dataset: str, partition: str, output: str, as_json: bool, **chosen: str | None) -> None:
    """Write a batch of PARTITION to a file or to standard output: by default the current."""
    if output == "-" and as_json:
        raise click.UsageError("--json needs -o FILE: standard output is for the data.")
    form = chosen.pop("form")
    installation = open_installation()
    batch = Chosen(**chosen).find(installation, dataset, partition)
    if output != "-":
        write_out(installation, batch, form, Path(output))
        click.echo(f"Wrote batch {batch.number} of {dataset}/{partition} to {output}.", err=True)
        if as_json:
            print_json(batch_object(batch, installation.base_url) | {"path": output})
        return
    if sys.stdout.isatty() and form not in ("csv", "json"):
        raise click.UsageError("A terminal shows text only: give --format csv, or -o FILE.")
    with laid_out(installation, batch, form) as path, path.open("rb") as handle:
        while chunk := handle.read(1024 * 1024):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


@click.command("path")
@click.argument("dataset")
@click.argument("partition")
@format_option
@choosing
@json_option
def path(
    dataset: str, partition: str, form: str | None, as_json: bool, **chosen: str | None
) -> None:
    """Print the path of a read-only copy of a batch, made below PROVENOTE_HOME."""
    installation = open_installation()
    batch = Chosen(**chosen).find(installation, dataset, partition)
    found = lasting_copy(installation, batch, form)
    if as_json:
        print_json(batch_object(batch, installation.base_url) | {"path": str(found)})
        return
    click.echo(found)
