"""``provenote restore``."""

import click

from app.cli.data_common import open_installation
from app.cli.options import json_option
from app.cli.output import print_json, say
from provenance.ledger.bin import restore


@click.command()
@click.argument("deletion")
@json_option
def command(deletion: str, as_json: bool) -> None:
    """Bring back what was deleted at once; DELETION is what `provenote delete` has told."""
    with open_installation().ledger.writing() as session:
        runs = restore(session, deletion)
    if as_json:
        print_json({"deletion": deletion, "runs": runs})
    else:
        say(f"{', '.join(runs)} {'is' if len(runs) == 1 else 'are'} back.")
