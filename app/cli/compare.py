"""``provenote compare``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.assemble import assemble, make_ready
from app.cli.explain import line_colour, print_comparison
from app.cli.meant import run_named
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.comparing.runs import cells_of_runs
from app.comparing.told import told_cells
from app.explained import explained, run_before
from app.settings import Settings, read_settings
from app.web.filters import plural
from provenance.errors import InvalidInputError

_MOST_LINES = 40
"""Lines of one diff, and rows of one table, that a terminal shows."""
_WORDS = {"stdout": "prints", "stderr": "warns", "error": "raises", "text": "shows"}


class TargetError(InvalidInputError):
    """Raised when a comparison cannot be written where it was to go."""

    code = "compare_target"


@click.command()
@click.argument("run_id", metavar="A")
@click.argument("other", metavar="[B]", required=False)
@click.option("--previous", is_flag=True, help="Compare A with the run of the same case before.")
@click.option("--html", "target", metavar="FILE", help="Write it as one HTML file, too.")
@click.option("--exit-code", is_flag=True, help="End with 1 where the results differ.")
@json_option
def command(
    run_id: str, other: str | None, previous: bool, target: str | None, **how: bool
) -> None:
    """Compare two runs: why they differ, what moved, and each cell that shows something else.

    A and B are ids of runs, or "latest"; A is the one before. Exit status 0: they were compared,
    whatever came of it; with --exit-code 1 where metrics, checks, outputs or cells differ.
    """
    if previous == (other is not None):
        raise click.UsageError("Give two runs, or one and --previous.")
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    with installation.ledger.reading() as session:
        a, b = run_named(session, run_id), other and run_named(session, other)
        if b is None:
            a, b = run_before(session, a), a
        told = explained(session, installation, a, b)
        told["cells"] = told_cells(cells_of_runs(session, installation.store, a, b))
    told["differs"] = _differs(told)
    if target is not None:
        _write(settings, a, b, Path(target))
    (print_json if how["as_json"] else _print)(told)
    if how["exit_code"] and told["differs"]:
        click.get_current_context().exit(1)


def _differs(told: dict[str, Any]) -> bool:
    """Tell whether anything that the runs gave is other, whatever became of code and keys."""
    jobs = all(job["same_outputs"] for job in told["jobs"])
    cells = any(cell["outputs"] or cell["more"] for cell in told["cells"]["changed"])
    return not (told["results"]["same"] and jobs) or cells


def _write(settings: Settings, a: str, b: str, target: Path) -> None:
    from app.archive.comparison import comparison_file
    from app.current import INSTALLATION
    from app.factory import create_app

    app = create_app(settings)
    ledger = app.extensions[INSTALLATION].ledger
    with app.test_request_context(), ledger.reading() as session:
        page = comparison_file(session, a, b)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        told = f"{target} cannot be written: {error.strerror or error}."
        raise TargetError(told, "Name another with --html.") from None
    say(f"{target} written.", err=True)


def _print(told: dict[str, Any]) -> None:
    print_comparison(told)
    cells = told["cells"]
    say("\ncells", bold=True)
    if cells["missing"]:
        say(f"  {cells['missing']}", dim=True)
        return
    for cell in cells["changed"]:
        _print_cell(cell)
    if cells["left_out"]:
        say(f"  {plural(cells['left_out'], 'more cell differs', 'more cells differ')}", dim=True)
    say(f"  = {plural(cells['same'], 'cell is', 'cells are')} the same", dim=True)


def _print_cell(cell: dict[str, Any]) -> None:
    word = "is new" if cell["before"] is None else "is gone" if cell["after"] is None else ""
    if not word and cell["before"] != cell["after"]:
        word = f"was cell {cell['before']}"
    say(f"  ≠ cell {cell['number']} {word}".rstrip(), bold=True)
    _print_lines(cell["diff"])
    for output in cell["outputs"]:
        if output["table"] is not None:
            _print_table(output["table"])
        elif output["diff"]:
            say(f"      {_WORDS.get(output['name'], output['name'])}", dim=True)
            _print_lines(output["diff"])
        else:
            say(f"      shows another {'figure' if output['kind'] == 'image' else 'output'}")
    if cell["more"]:
        say(f"      {plural(cell['more'], 'more output differs', 'more outputs differ')}", dim=True)


def _print_lines(diff: str | None) -> None:
    lines = (diff or "").splitlines()
    # The first two name the files; what begins like them further down is a line of one.
    lines = [line for line in lines[:2] if not line.startswith(("---", "+++"))] + lines[2:]
    _shortened(lines, lambda line: say(f"      {line}", fg=line_colour(line)))


def _print_table(table: dict[str, Any]) -> None:
    say("      table", dim=True)
    _shortened(table["rows"], _print_row)
    say(f"      = {plural(table['same_rows'], 'row is', 'rows are')} the same", dim=True)


def _print_row(row: dict[str, Any]) -> None:
    moved = (
        f"{one['column']}: {_value(one['before'])} → {_value(one['after'])}"
        for one in row["changed"]
    )
    say(f"      {row['row']:<20} {', '.join(moved)}")


def _value(text: str | None) -> str:
    return "nothing" if text is None else text or "''"


def _shortened(items: list[Any], show: Callable[[Any], None]) -> None:
    for item in items[:_MOST_LINES]:
        show(item)
    if len(items) > _MOST_LINES:
        say(f"      … and {len(items) - _MOST_LINES} more; --json and --html have all", dim=True)
