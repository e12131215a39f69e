"""Where the web pages are served."""

import ipaddress
import os
from dataclasses import replace

import click

from app.settings import BASE_URL, Settings
from provenance.errors import InvalidInputError

host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on (loopback)."
)
port_option = click.option(
    "--port", default=8000, show_default=True, envvar="PORT", help="Port to listen on."
)


class PublicHostError(InvalidInputError):
    """Raised when the pages would be served to a network, where nobody could be told apart."""

    code = "public_host"


def check_host(host: str) -> None:
    """Refuse to listen anywhere but on the loopback interface.

    This version has no accounts: whoever reaches it may run reports.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise PublicHostError(
            f"--host {host} would serve to a network, and this version has no accounts yet: "
            "whoever reached it could run reports.",
            "Listen on 127.0.0.1, behind a reverse proxy that asks who it is, "
            "and set PROVENOTE_BASE_URL to its address.",
        )


def reachable_at(settings: Settings, host: str, port: int) -> Settings:
    """Return the settings with the address that is served, unless the operator gave another.

    Processes that we start read it from the environment.
    """
    if BASE_URL in os.environ:
        return settings
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    os.environ[BASE_URL] = address
    return replace(settings, base_url=address)
