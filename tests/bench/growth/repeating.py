"""Doing a thing a few times, but not for long: large work is measured less often."""

import time
from collections.abc import Callable

_TIMES, _SECONDS = 5, 15.0


def repeated(way: Callable[[], float]) -> list[float]:
    """Return what *way* returns, several times, or as often as it fits into some seconds."""
    found = [way()]
    until = time.monotonic() + _SECONDS
    while len(found) < _TIMES and time.monotonic() < until:
        found.append(way())
    return found
