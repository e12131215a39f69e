"""What commands on datasets and models share: the installation, options, lines for a person."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from app.assemble import assemble, make_ready
from app.cli.output import print_json, say
from app.data_object import event_object
from app.settings import read_settings
from pipeline.installation import Installation
from provenance.datasets.history import EventRow, event_row
from provenance.datasets.instants import read_instant
from provenance.datasets.moves import Move, promote, standing
from provenance.datasets.names import DATA, MODEL, is_pattern
from provenance.datasets.resolve import Reference, resolve
from provenance.ledger.data_tables import Batch, PointerEvent

Command = TypeVar("Command", bound=Callable[..., Any])

reason_option = click.option("--reason", required=True, help="Why; it stays in the log.")
seen_option = click.option(
    "--seen",
    type=int,
    metavar="VERSION",
    help="The version that the decision rests on; refused if it moved since.",
)


@dataclass(frozen=True)
class Chosen:
    """Which batch of a partition is meant; nothing: the current one."""

    batch: str | None = None
    as_of: str | None = None
    snapshot: str | None = None

    def find(self, installation: Installation, dataset: str, partition: str) -> Batch:
        """Return the one batch that is meant."""
        if sum(one is not None for one in (self.batch, self.as_of, self.snapshot)) > 1:
            raise click.UsageError("--batch, --as-of and --snapshot exclude each other.")
        if is_pattern(partition):
            raise click.UsageError(f"{partition!r} means several partitions; name one.")
        moment = read_instant(self.as_of) if self.as_of is not None else None
        wanted = Reference(DATA, dataset, partition, batch=self.batch, snapshot=self.snapshot)
        with installation.ledger.reading() as session:
            return resolve(session, wanted, moment)[0]


def choosing(command: Command) -> Command:
    """Give *command* the options that choose a batch."""
    for option in (
        click.option("--snapshot", metavar="NAME", help="The batch that this snapshot holds."),
        click.option("--as-of", metavar="INSTANT", help="The batch that was current then."),
        click.option("--batch", metavar="BATCH", help="A batch by its id or number."),
    ):
        command = option(command)
    return command


def open_installation() -> Installation:
    """Return the installation that the environment's settings name, ready to be used."""
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    return installation


def actor() -> str:
    """Return who gives the command."""
    return getpass.getuser()


def tell(*columns: object) -> None:
    """Print one line of a list."""
    say("  ".join(str(column) for column in columns if column not in (None, "")))


def in_bytes(size: int) -> str:
    """Return a size to the byte, thousands apart."""
    return f"{size:,} bytes"


def tell_event(row: EventRow) -> None:
    """Print one move of a pointer: when, what, from where to where, who, why."""
    event = row.event
    moved = f"{_number(row.from_number)} → {_number(row.to_number)}"
    tell(
        f"{event.at:%Y-%m-%d %H:%M:%S}",
        row.partition,
        f"v{event.version}",
        f"{event.op:<8}",
        moved,
        f"by {event.actor}",
        event.run_id,
        event.reason,
    )
    tell_columns(row)


def tell_columns(row: EventRow, *, err: bool = False) -> None:
    """Warn where the columns after a move are others than those before; below its line of a log."""
    if row.schema_change:
        indent = "" if err else "    "
        say(f"{indent}The columns changed: {row.schema_change}.", fg="yellow", err=err)


def _number(number: int | None) -> str:
    return f"#{number}" if number is not None else "nothing"


def tell_move(
    kind: str, name: str, event: PointerEvent, batch: Batch | None, *, already: bool = False
) -> None:
    """Say on standard error what a move has done, or that it was *already* so."""
    noun = "Version" if kind == MODEL else "Batch"
    current = f"{noun} {batch.number} is current" if batch is not None else "Nothing is current"
    word = " already" if already else ""
    click.echo(f"{current}{word} in {name} (pointer version {event.version}).", err=True)


def make_current(installation: Installation, wanted: Move, to: str | int, as_json: bool) -> None:
    """Make the batch or version *to* current and tell so; or that it is so already."""
    with installation.ledger.writing() as session:
        stands = standing(session, wanted, to)
        event = stands or promote(session, wanted, to)
    tell_moved(installation, wanted, event, as_json, already=stands is not None)


def tell_moved(
    installation: Installation,
    wanted: Move,
    event: PointerEvent,
    as_json: bool,
    *,
    already: bool = False,
) -> None:
    """Tell what the move *wanted* has done: to a person, and as JSON where it is asked for."""
    with installation.ledger.reading() as session:
        batch = session.get(Batch, event.to_batch) if event.to_batch is not None else None
        row = event_row(session, wanted.partition, event)
    tell_move(wanted.kind, wanted.name, event, batch, already=already)
    if not already:
        tell_columns(row, err=True)
    if as_json:
        print_json(event_object(row))


def warn_of_schema(batch: Batch) -> None:
    """Say on standard error that the columns are others than those of the batch before."""
    if batch.schema_change:
        say(f"The columns changed: {batch.schema_change}.", fg="yellow", err=True)
