"""Sending OpenLineage events to whoever collects them."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from app.exports import line_of
from provenance.errors import InvalidInputError, UnavailableError

SECONDS = 10.0
_SHOWN = 300


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
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LineageUrlError(
            f"--to: found {url[:200]!r}, expected an address that begins with http:// or https://.",
            "A collector takes events at an address such as https://host/api/v1/lineage.",
        )
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


def _refused(
    url: str, sent: int, events: Sequence[dict[str, Any]], said: str
) -> LineageRefusedError:
    host = urlsplit(url).hostname
    return LineageRefusedError(
        f"{host} did not take event {sent + 1} of {len(events)}: {said.strip()}",
        "The events before it were taken; sending all again is harmless.",
    )
