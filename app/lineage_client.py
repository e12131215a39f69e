"""Sending OpenLineage events to whoever collects them."""

import contextlib
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import unquote, urlsplit

from app.exports import line_of
from provenance.errors import InvalidInputError, UnavailableError

SECONDS = 10.0
_SHOWN = 300
_METADATA_NAMES = frozenset(
    {"instance-data", "instance-data.ec2.internal", "metadata", "metadata.google.internal"}
)
_METADATA_ADDRESSES = frozenset({"100.100.100.200", "168.63.129.16", "fd00:ec2::254"})
"""Those of clouds that are not link-local, where every other one of them is."""


class LineageUrlError(InvalidInputError):
    """Raised when events are to be sent to what is no address of a web server."""

    code = "lineage_url"


class LineageRefusedError(UnavailableError):
    """Raised when the collector did not take an event."""

    code = "lineage_refused"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the library would turn the POST into a GET, and lose the event."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send_events(events: Sequence[dict[str, Any]], url: str, seconds: float = SECONDS) -> None:
    """POST each event to *url*, in order; *seconds* is the patience with each of them.

    Raises LineageUrlError, or LineageRefusedError with how many had been taken before.
    """
    _check(url)
    opener = urllib.request.build_opener(_NoRedirect)
    for sent, event in enumerate(events):
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
            url, line_of(event).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with opener.open(request, timeout=seconds) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            said = error.read(_SHOWN).decode(errors="replace").strip()
            raise _refused(url, sent, events, f"{error.code} {error.reason} {said}") from None
        except (OSError, HTTPException) as error:
            raise _refused(url, sent, events, str(getattr(error, "reason", error))) from None


def _check(url: str) -> None:
    """Refuse what cannot be a collector, before anything is connected to.

    Private addresses are fine: whoever gives this command may well run a collector there.
    """
    try:
        scheme, netloc = urlsplit(url)[:2]
        parts = urlsplit(f"//{unquote(netloc)}")  # as the library reads it
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        host = ""
    if not host or scheme not in ("http", "https"):
        raise LineageUrlError(
            f"--to: found {url[:200]!r}, expected an address that begins with http:// or https://.",
            "A collector takes events at an address such as https://host/api/v1/lineage.",
        )
    if host in _METADATA_NAMES or any(map(_is_of_the_host, _addresses(host, port))):
        raise LineageUrlError(
            f"--to: {host} is a link-local or metadata address: there a cloud tells a machine "
            "about itself, keys included, and no collector listens.",
            "Name the collector by its own address, such as https://host/api/v1/lineage.",
        )


def _addresses(host: str, port: int | None) -> Iterator[IPv4Address | IPv6Address]:
    """Yield what *host* stands for; nothing where only a proxy may know."""
    with contextlib.suppress(OSError, UnicodeError):
        for *_, told in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            yield ip_address(str(told[0]).partition("%")[0])


def _is_of_the_host(address: IPv4Address | IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_link_local or str(inner) in _METADATA_ADDRESSES


def _refused(
    url: str, sent: int, events: Sequence[dict[str, Any]], said: str
) -> LineageRefusedError:
    host = urlsplit(url).hostname
    return LineageRefusedError(
        f"{host} did not take event {sent + 1} of {len(events)}: {said.strip()}",
        "The events before it were taken; sending all again is harmless.",
    )
