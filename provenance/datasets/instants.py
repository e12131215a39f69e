"""Instants as people write them."""

from datetime import UTC, datetime

from provenance.datasets.errors import InstantError
from provenance.ledger.columns import utc_now

_DATE = len("2013-02-28")


def read_instant(text: str, name: str = "as-of") -> datetime:
    """Return the instant that *text* names in ISO 8601; without a zone it is UTC.

    A date alone means its end, so that what happened on it is included. Raises InstantError,
    which calls the text *name*.
    """
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InstantError(
            f"{name} {text[:60]!r} is no date or instant.",
            "Write it as 2013-02-28 or 2013-02-28T12:00Z.",
        ) from None
    if len(text) <= _DATE:
        found = found.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return found


def read_end(text: str, name: str = "until") -> datetime:
    """Return the instant that *text* names, which has to be still to come; raise InstantError."""
    found = read_instant(text, name)
    if found <= utc_now():
        raise InstantError(
            f"{name} {text[:60]!r} has passed.", "Name a day to come; or none, and it has no end."
        )
    return found
