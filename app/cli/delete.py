"""``provenote delete``."""

import click

from app.cli.data_common import actor, open_installation
from app.cli.options import json_option
from app.cli.output import print_json, say
from provenance.ledger.bin import delete_runs
from provenance.ledger.keeping_tables import BIN_DAYS


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@json_option
def command(run_ids: tuple[str, ...], as_json: bool) -> None:
    """Put runs that have ended into the bin: all of them, or none.

    Runs about a run, its reproductions for example, go with it. It can be undone for 30 days.
    """
    with open_installation().ledger.writing() as session:
        deletion = delete_runs(session, run_ids, actor())
    if as_json:
        print_json({"deletion": deletion, "runs": list(dict.fromkeys(run_ids))})
    else:
        say(f"Deleted. For {BIN_DAYS} days `provenote restore {deletion}` undoes it.")
