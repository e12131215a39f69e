"""``provenote config``."""

from dataclasses import fields

import click

from app.cli.options import json_option
from app.cli.output import print_json
from app.settings import PREFIX, Settings, read_settings

_SECRET = {"secret_key", "database_url", "broker_url"}


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Print every setting, its value and what it means. Secrets are not shown."""
    settings = read_settings()
    rows = [
        {
            "name": PREFIX + field.name.upper(),
            "value": _shown(settings, field.name),
            "help": field.metadata["help"],
        }
        for field in fields(Settings)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.secho(f"{row['name']}={row['value']}", bold=True)
        click.echo(f"    {row['help']}")
    click.echo(f"\nAddresses of sources may also stand in {settings.home / 'sources.toml'}.")


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name in _SECRET and value:
        return "(set)"
    return str(value)
