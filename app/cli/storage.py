"""``provenote storage``."""

from typing import Any

import click

from app.cli.data_common import actor, open_installation
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.notes_object import storage_object
from app.web.filters import size
from provenance.ledger.queries.projects import known_report, project_named
from provenance.ledger.retention import ALL_REPORTS, LONGEST_DAYS, set_retention
from provenance.measuring import measure_storage


@click.command()
@click.argument("project", required=False)
@click.argument("report", required=False, default=ALL_REPORTS)
@click.option(
    "--keep-days",
    type=click.IntRange(1, LONGEST_DAYS),
    help="Keep pages for so many days: of REPORT, or of all reports without a rule of their own.",
)
@click.option("--keep-all", is_flag=True, help="Keep pages for ever, or as the project's rule.")
@click.option("--measure", is_flag=True, help="Measure first, and do not wait for a worker.")
@json_option
def command(project: str | None, report: str, as_json: bool, **given: Any) -> None:
    """Show what reports take in the store, and set for how long their pages are kept.

    When the time of a page is over, a worker clears it with its executed notebook and log; the
    record of how it came to be stays, and so do the newest page of each case and what is pinned.
    The bytes are freed by `provenote gc --delete`.
    """
    if given["keep_days"] and given["keep_all"]:
        raise click.UsageError("--keep-days and --keep-all exclude each other.")
    if project is None and (given["keep_days"] or given["keep_all"]):
        raise click.UsageError("Name the PROJECT whose pages are meant.")
    installation = open_installation()
    if project is not None and (given["keep_days"] or given["keep_all"]):
        with installation.ledger.writing() as session:
            found = project_named(session, project)
            set_retention(session, found, report, given["keep_days"], actor())
    if given["measure"]:
        measure_storage(installation.store, installation.ledger)
    with installation.ledger.reading() as session:
        if project is not None:
            found = project_named(session, project)
            if report != ALL_REPORTS:
                known_report(session, found, report)
        told = storage_object(session)
    if project is not None:
        told["projects"] = [one for one in told["projects"] if one["project"] == project]
    if report != ALL_REPORTS:
        for one in told["projects"]:
            one["reports"] = [kept for kept in one["reports"] if kept["report"] == report]
    if as_json:
        print_json(told)
    else:
        _print(told)


def _print(told: dict[str, Any]) -> None:
    if told["measured_at"] is None:
        say("Not measured yet: a worker does it, or --measure.")
    else:
        say(f"{size(told['size'])} in {told['objects']:,} objects, measured {told['measured_at']}")
    for project in told["projects"]:
        _print_line(project["project"], project)
        for one in project["reports"]:
            _print_line(f"  {one['report']}", one)


def _print_line(name: str, one: dict[str, Any]) -> None:
    kept = f"kept {one['days']} days" if one["days"] else "kept for ever"
    taken = "" if one["size"] is None else f"{one['runs']:,} runs, {size(one['size'])}, "
    say(f"{name}: {taken}{kept}")
