"""``provenote used-by``."""

import click

from app.assemble import assemble, make_ready
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.explained import guessed
from app.settings import read_settings
from app.web.filters import ago, short
from provenance.ledger.queries.used_by import places_of, used_by
from provenance.ledger.queries.used_things import THINGS, Thing, UsedBy, UsedReport, Wanted

_SHOWN = 8


@click.command()
@click.argument("thing", metavar="THING")
@click.option(
    "--as", "kind", type=click.Choice(THINGS), help="What THING is; left out, by its look."
)
@click.option("--project", metavar="NAME", help="Only reports of this project.")
@json_option
def command(thing: str, kind: Thing | None, project: str | None, as_json: bool) -> None:
    """Show the reports that stand on a file, artifact, batch, package or record.

    THING is a path such as stages/features.py, the first digits of a digest, the id of a
    batch, or a package such as pandas or pandas==2.2.3.
    """
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    with installation.ledger.reading() as session:
        wanted = Wanted(kind, thing, project) if kind else guessed(session, thing, project)
        found = used_by(session, wanted)
        places = places_of(session, found.batches)
    if as_json:
        print_json(found.as_json())
    else:
        _print(found, places)


def _print(found: UsedBy, places: dict[str, str]) -> None:
    say(found.sentence, bold=True)
    for record in found.made_by:
        say(f"  made by record {short(record)}")
    for batch in found.batches:
        say(f"  went into {places[batch]}, {batch}")
    for report in found.reports:
        _print_report(report)


def _print_report(report: UsedReport) -> None:
    say("")
    say(f"{report.project} / {report.report}", bold=True)
    for case in report.cases:
        mark = "●" if case.stands else "○"
        words = "stands on it" if case.stands else "no longer stands on it"
        say(f"  {mark} {case.case}: the latest run, {case.latest}, {words}")
    for run in report.runs[:_SHOWN]:
        through = f"through {', '.join(run.through)}" if run.through else ""
        when = ago(run.finished_at)
        say(f"    {run.id}  {short(run.commit)} {run.subject or ''}  {run.case}  {when}  {through}")
    if report.total > _SHOWN:
        say(f"    and {report.total - _SHOWN:,} runs before these")
