"""``provenote models``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.batches import Order, receive, seen_now
from app.cli.data_common import (
    actor,
    in_bytes,
    make_current,
    open_installation,
    reason_option,
    seen_option,
    tell,
    tell_event,
    tell_move,
    tell_moved,
)
from app.cli.data_files import lasting_copy
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.data_object import event_object, model_object, version_object
from pipeline.installation import Installation
from provenance.datasets.history import batches, datasets, events, promoted_versions
from provenance.datasets.lookup import require_dataset, require_partition
from provenance.datasets.models import (
    format_of_file,
    metadata_of,
    metrics_of,
    model_details,
    write_package,
)
from provenance.datasets.moves import Move, rollback
from provenance.datasets.names import MODEL, check_dataset
from provenance.datasets.publish import NewBatch, pointer_of
from provenance.datasets.resolve import Reference, resolve
from provenance.files import durable_file
from provenance.ledger.data_tables import Batch

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_ALL = 1_000_000


@click.group()
def command() -> None:
    """Models: look at versions, save, promote, roll back, download."""


@command.command("ls")
@json_option
def ls(as_json: bool) -> None:
    """List all models."""
    installation = open_installation()
    with installation.ledger.reading() as session:
        rows = datasets(session, MODEL)
        promoted = promoted_versions(session)
    base = installation.base_url
    if as_json:
        items = [model_object(row, promoted.get(row.name), base) for row in rows]
        print_json({"items": items})
        return
    for row in rows:
        latest = promoted.get(row.name)
        tell(row.name, f"version {latest}" if latest else "none promoted", f"of {row.batches}")
    if not rows:
        click.echo("No models yet. Save one: provenote models save FILE NAME")


@command.command("show")
@click.argument("name")
@click.argument("version", type=int, required=False)
@json_option
def show(name: str, version: int | None, as_json: bool) -> None:
    """Show all versions of model NAME, or one of them with its metadata and metrics."""
    installation = open_installation()
    with installation.ledger.reading() as session:
        wanted = Reference(MODEL, name, version=version)
        if version is not None:
            found: Sequence[Batch] = resolve(session, wanted)
        else:
            found = batches(session, require_partition(session, wanted), _ALL)
        pointer = pointer_of(session, MODEL, name)
    current = pointer.batch_id if pointer is not None else None
    told = [version_object(one, one.id == current, installation.base_url) for one in found]
    if as_json:
        print_json(told[0] if version is not None else {"items": told})
        return
    for batch in found:
        _tell_version(batch, batch.id == current)


def _tell_version(batch: Batch, promoted: bool) -> None:
    mark = "  promoted" if promoted else ""
    click.secho(f"{batch.partition.dataset.name} version {batch.number}{mark}", bold=True)
    click.echo(f"  {batch.id}  {in_bytes(batch.size)}  by {batch.actor}")
    for name, value in metrics_of(batch).items():
        say(f"  {name:<16} {value}")
    for name, value in metadata_of(batch).items():
        say(f"  {name:<16} {json.dumps(value, ensure_ascii=False)}")


@command.command("log")
@click.argument("name")
@json_option
def log(name: str, as_json: bool) -> None:
    """Tell which versions of model NAME were promoted: who, when, why."""
    installation = open_installation()
    with installation.ledger.reading() as session:
        rows = events(session, require_dataset(session, MODEL, name), None, _ALL)
    if as_json:
        print_json({"items": [event_object(row) for row in rows]})
        return
    for row in rows:
        tell_event(row)


@command.command("save")
@click.argument("file", type=_file)
@click.argument("name")
@click.option("--metadata", multiple=True, metavar="NAME=VALUE", help="What to know of it.")
@click.option("--metric", multiple=True, metavar="NAME=VALUE", help="How good it is.")
@click.option("--reason", default="", help="Why; it stays in the log.")
@json_option
def save(
    file: Path, name: str, metadata: Sequence[str], metric: Sequence[str], **chosen: Any
) -> None:
    """Make FILE the next version of model NAME, and the promoted one."""
    installation = open_installation()
    numbers = _pairs("--metric", metric)
    for one, value in numbers.items():
        if not (value is None or type(value) in (int, float)):
            raise click.UsageError(f"--metric {one}: expected a number, found {value!r}.")
    seen = seen_now(installation, MODEL, check_dataset(name), "main")
    blob = installation.store.put_file(file)
    form = format_of_file(file.name)
    new = NewBatch(
        name,
        blob.sha256,
        blob.size,
        "application/octet-stream",
        file.name,
        actor(),
        kind=MODEL,
        details=model_details(_pairs("--metadata", metadata), numbers, form),
    )
    received = receive(installation, new, Order(seen, chosen["reason"]))
    if received.event is not None:
        tell_move(MODEL, f"model {name}", received.event, received.batch)
    if chosen["as_json"]:
        print_json(version_object(received.batch, True, installation.base_url))


def _pairs(option: str, given: Sequence[str]) -> dict[str, Any]:
    """Return ``NAME=VALUE`` texts as a mapping; a value is JSON where it can be read as such.

    A text that is a JSON object brings all its names at once.
    """
    found: dict[str, Any] = {}
    for text in given:
        if text.startswith("{"):
            found |= _object(option, text)
            continue
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} {text!r}: expected NAME=VALUE, such as rows=1000.")
        found[name] = _value(value)
    return found


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        raise click.UsageError(f"{option}: no JSON object: {error}.") from None
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(constant: str) -> None:
    """Read NaN and infinities, which JSON does not have, as missing."""
    del constant


@command.command("promote")
@click.argument("name")
@click.argument("version", type=int)
@reason_option
@seen_option
@json_option
def promote_version(name: str, version: int, as_json: bool, **why: Any) -> None:
    """Make VERSION the one that is promoted."""
    installation = open_installation()
    wanted = Move(name, actor(), kind=MODEL, **why)
    make_current(installation, wanted, version, as_json)


@command.command("rollback")
@click.argument("name")
@reason_option
@seen_option
@json_option
def roll_back(name: str, as_json: bool, **why: Any) -> None:
    """Promote the version again that was so before the present one."""
    installation = open_installation()
    wanted = Move(name, actor(), kind=MODEL, **why)
    with installation.ledger.writing() as session:
        event = rollback(session, wanted)
    tell_moved(installation, wanted, event, as_json)


@command.command("export")
@click.argument("name")
@click.argument("version", type=int, required=False)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A file.")
@json_option
def export(name: str, version: int | None, output: Path, as_json: bool) -> None:
    """Write a version of model NAME to a zip: object, metadata, metrics and record."""
    installation = open_installation()
    batch = _find(installation, name, version)
    with durable_file(output, mode=0o644) as handle:
        write_package(installation.store, batch, handle)
    click.echo(f"Wrote version {batch.number} of model {name} to {output}.", err=True)
    if as_json:
        told = version_object(batch, _is_promoted(installation, batch), installation.base_url)
        print_json(told | {"path": str(output)})


@command.command("path")
@click.argument("name")
@click.argument("version", type=int, required=False)
@json_option
def path(name: str, version: int | None, as_json: bool) -> None:
    """Print the path of a read-only copy of a version's object, made below PROVENOTE_HOME."""
    installation = open_installation()
    batch = _find(installation, name, version)
    found = lasting_copy(installation, batch, None)
    if as_json:
        told = version_object(batch, _is_promoted(installation, batch), installation.base_url)
        print_json(told | {"path": str(found)})
        return
    click.echo(found)


def _find(installation: Installation, name: str, version: int | None) -> Batch:
    with installation.ledger.reading() as session:
        return resolve(session, Reference(MODEL, name, version=version))[0]


def _is_promoted(installation: Installation, batch: Batch) -> bool:
    with installation.ledger.reading() as session:
        pointer = pointer_of(session, MODEL, batch.partition.dataset.name)
    return pointer is not None and pointer.batch_id == batch.id
