"""The sentences of an error that name what somebody probably meant."""

from collections.abc import Iterable
from itertools import islice

SHOWN = 60
LISTED = 20
COMPARED = 500
_BEGINNING = 100


def nearest(name: str, known: Iterable[str], *, most: int = COMPARED) -> str | None:
    """Return the one of *known* that is nearest to *name*; None where none is near.

    Only the first *most* names are looked at.
    """
    import difflib  # only who errs waits for it: the command line must start at once

    # Only the beginning is compared: matching is quadratic, and the name may be hostile.
    near = difflib.get_close_matches(name[:_BEGINNING], islice(known, most), n=1, cutoff=0.5)
    return str(near[0]) if near else None  # a word of an enumeration, too, is shown as a word


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" for the name in *known* that is nearest, or an empty text."""
    near = nearest(name, known)
    return f"Did you mean {near!r}?" if near is not None else ""


def did_you_mean_or_all(name: str, known: Iterable[str]) -> str:
    """Return what `did_you_mean` says, else "There are: a, b."; of nothing an empty text."""
    every = list(known)
    return did_you_mean(name, every) or (f"There are: {listed(every)}." if every else "")


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
