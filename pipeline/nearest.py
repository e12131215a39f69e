"""The sentences of an error that name what somebody probably meant."""

import difflib
from collections.abc import Iterable
from itertools import islice

SHOWN = 60
LISTED = 20
COMPARED = 200


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" for the name in *known* that is nearest, or an empty text."""
    # Only the beginning is compared: matching is quadratic, and the name may be hostile.
    some = list(islice(known, COMPARED))
    near = difflib.get_close_matches(name[:SHOWN], some, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Return *names* as a text for people: "a, b, c", shortened when long, or "none"."""
    every = list(names)
    if not every:
        return "none"
    more = f" and {len(every) - LISTED} more" if len(every) > LISTED else ""
    return ", ".join(every[:LISTED]) + more


def shown(value: object) -> str:
    """Return *value* as it may stand in a message: one line of printable text, not too long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "a huge value"
    text = text if text.isprintable() else ascii(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
