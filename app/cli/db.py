"""``provenote db``."""

import click

from app.assemble import assemble
from app.settings import read_settings
from provenance.ledger.migrate import HEAD, revision_of, upgrade


@click.group()
def command() -> None:
    """Look after the ledger's database."""


@command.command("upgrade")
def upgrade_ledger() -> None:
    """Bring the ledger's tables to the shape that this version needs."""
    settings = read_settings()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ledger = assemble(settings).ledger
    before = revision_of(ledger)
    upgrade(ledger)
    said = "was up to date" if before == HEAD else f"went from {before or 'nothing'} to {HEAD}"
    click.echo(f"The ledger {said}.")
