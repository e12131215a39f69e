"""How far a run is, in words for pages and terminals, and as the interface for programs has it."""

import math
from typing import Any

from provenance.ledger.queries.progress import Progress

_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_DOING = {
    None: "starts",
    "checkout": "fetches the commit",
    "environment": "prepares the environment",
    "publishing": "publishes",
    "comparing": "compares",
}


def progress_object(progress: Progress | None) -> dict[str, Any] | None:
    """Return *progress* in JSON form; None for a run that has ended."""
    if progress is None:
        return None
    again = progress.tried_again_at
    return {
        "doing": progress.doing,
        "cells_done": progress.cells_done,
        "cells_total": progress.cells_total,
        "elapsed": round(progress.elapsed, 3),
        "expected_seconds": _rounded(progress.expected),
        "left_seconds": _rounded(progress.left),
        "queue_position": progress.position,
        "queue_seconds": _rounded(progress.wait),
        "tried_again_at": again.isoformat().replace("+00:00", "Z") if again else None,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def state_words(progress: Progress) -> str:
    """Return where a run stands: ``3rd in the queue``, ``cell 4 of 9``, ``stage features``."""
    if progress.tried_again_at is not None:
        return "something did not answer, is tried again"
    if progress.queued:
        place = progress.position
        return "waits for a worker" if place is None else f"{ordinal(place)} in the queue"
    doing, total = progress.doing, progress.cells_total
    if total and (doing is None or doing.startswith("cell ")):
        return f"{doing or f'cell {progress.cells_done}'} of {total}"
    return _DOING.get(doing, doing or "")


def before_words(progress: Progress) -> str:
    """Return how many runs come before one that waits; nothing where that is not known."""
    if progress.position is None:
        return ""
    before = progress.position - 1
    if before == 0:
        return "it is next"
    return f"{before:,} run{'' if before == 1 else 's'} wait{'s' if before == 1 else ''} before it"


def left_words(progress: Progress) -> str:
    """Return how long it goes on, or waits; nothing where nobody knows."""
    if progress.queued:
        return "" if progress.wait is None else wait_in_words(progress.wait)
    return "" if progress.left is None else left_in_words(progress.left)


def left_in_words(seconds: float) -> str:
    """Return the rest of a run: ``about 3 s left``; the pages' script says the same."""
    return f"{about(seconds)} left" if seconds >= 0.5 else "soon done"


def wait_in_words(seconds: float) -> str:
    """Return a wait: ``about 12 s``; the pages' script says the same."""
    return about(seconds) if seconds >= 0.5 else "starts soon"


def about(seconds: float) -> str:
    """Return a time that nobody knows exactly: ``about 3 s``, ``about 25 s``, ``about 4 min``."""
    if seconds < 20:
        return f"about {max(1, round(seconds))}\u202fs"
    if seconds < 90:
        return f"about {5 * math.floor(seconds / 5 + 0.5)}\u202fs"
    if seconds < 5400:
        return f"about {math.floor(seconds / 60 + 0.5)}\u202fmin"
    return f"about {math.floor(seconds / 3600 + 0.5)}\u202fh"


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``3rd``, ``4th`` …"""
    teens = number % 100 in (11, 12, 13)
    return f"{number:,}{'th' if teens else _ORDINALS.get(number % 10, 'th')}"


def printed_lines(text: str) -> str:
    """Return what was printed as a terminal leaves it: a line that is overwritten shows its end.

    Bars of progress return to the beginning of their line again and again.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
