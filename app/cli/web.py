"""``provenote web``."""

import click

from app.cli.listen import check_host, host_option, port_option, reachable_at
from app.cli.logs import configure_logs
from app.settings import read_settings


@click.command()
@host_option
@port_option
def command(host: str, port: int) -> None:
    """Serve the web pages. Something has to execute what they ask for: `provenote worker`."""
    from app.web.server import run_server

    configure_logs()
    check_host(host)
    run_server(reachable_at(read_settings(), host, port), host, port)
