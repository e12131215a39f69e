"""``provenote ledger``: what the system knows of itself, as tables to query."""

import csv
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import click

from app.assemble import assemble, make_ready
from app.cli.local import parse_params
from app.cli.options import json_option, param_option
from app.cli.output import print_json
from app.settings import read_settings
from pipeline.installation import Installation
from provenance.ledger.answers import Answer
from provenance.ledger.readonly import LIMIT, SECONDS, Question, ask
from provenance.ledger.views import VIEWS

_UNLIMITED = 100_000
"""Characters of a line that goes into a file or a pipe: it is never folded."""


@click.group()
def command() -> None:
    """Ask the ledger about runs, metrics, data and what stands on what, in SQL."""


@command.command("query")
@click.argument("query", metavar="QUERY")
@param_option
@click.option("--limit", type=click.IntRange(1), default=LIMIT, help="The most rows to show.")
@click.option(
    "--seconds", type=click.FloatRange(0.001), default=SECONDS, help="How long it may take."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@json_option
def query_ledger(query: str, as_csv: bool, as_json: bool, **asked: Any) -> None:
    """Run one SELECT on the ledger, and show the rows.

    It can only read. `-` reads QUERY from standard input. A parameter given with -p is written
    as :name in the query.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json: give one of them.")
    text = sys.stdin.read() if query == "-" else query
    question = Question(text, parse_params(asked["given"]), asked["limit"], asked["seconds"])
    answer = ask(_installation().ledger, question)
    if as_json:
        rows = [[_jsonable(value) for value in row] for row in answer.rows]
        print_json({"columns": answer.columns, "rows": rows, "more": answer.more})
    elif as_csv:
        _print_csv(answer)
    else:
        _print_table(answer.columns, answer.rows)
    if answer.more:
        click.echo(f"There are more than {asked['limit']} rows; --limit shows more.", err=True)


@command.command("tables")
@json_option
def list_tables(as_json: bool) -> None:
    """List the views that can be queried, with their columns and what they mean."""
    if as_json:
        views = [
            {"view": name, "row": view.row, "columns": dict(view.columns)}
            for name, view in VIEWS.items()
        ]
        print_json({"items": views})
        return
    for name, view in VIEWS.items():
        click.echo(f"{click.style(name, bold=True)}: {view.row}")
        for column, meaning in view.columns.items():
            click.echo(f"  {column:<16} {meaning}")


def _installation() -> Installation:
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    return installation


def _print_csv(answer: Answer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_text(value, null="") for value in row] for row in answer.rows)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in columns; on a terminal what is too long is folded, in a pipe nothing is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, name in enumerate(columns):
        numbers = all(isinstance(row[place], int | float | None) for row in listed)
        side: Literal["left", "right"] = "right" if listed and numbers else "left"
        table.add_column(Text(_printable(name)), justify=side, overflow="fold")
    for row in listed:
        table.add_row(*(_cell(value) for value in row))
    width = None if sys.stdout.isatty() else _UNLIMITED
    Console(file=sys.stdout, width=width, highlight=False).print(table)


def _cell(value: Any) -> Any:
    from rich.text import Text

    return Text("null", style="dim") if value is None else Text(_printable(_text(value)))


def _text(value: Any, null: str = "null") -> str:
    if value is None:
        return null
    return value.hex() if isinstance(value, bytes) else str(value)


def _printable(text: str) -> str:
    """Return *text* on one line and without what would command the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _jsonable(value: Any) -> Any:
    """Return *value* as JSON takes it; what it has no form for becomes text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else _text(value)
