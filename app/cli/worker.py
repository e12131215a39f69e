"""``provenote worker``."""

from dataclasses import replace

import click

from app.cli.logs import configure_logs
from app.settings import read_settings


@click.command()
@click.option("--drain", type=float, metavar="SECONDS", help="Overrides PROVENOTE_DRAIN_SECONDS.")
def command(drain: float | None) -> None:
    """Execute what is queued. SIGTERM lets the runs at hand finish first."""
    from app.work.worker import run_worker

    configure_logs()
    settings = read_settings()
    if drain is not None:
        settings = replace(settings, drain_seconds=drain)
    run_worker(settings)
