"""``provenote serve``."""

import click

from app.cli.listen import check_host, host_option, port_option, reachable_at
from app.cli.logs import configure_logs
from app.settings import read_settings


@click.command()
@host_option
@port_option
def command(host: str, port: int) -> None:
    """Serve everything on this machine, with nothing else to install: web pages and a worker.

    Ctrl-C stops it; what is running then is executed again at the next start.
    """
    from app.serve import serve

    configure_logs()
    check_host(host)
    settings = reachable_at(read_settings(), host, port)
    raise click.exceptions.Exit(serve(settings, host, port))
