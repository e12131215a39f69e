"""Keeping what cells print within bounds, in the kernel itself: a flood is not even sent."""

import sys
from collections.abc import Callable

_MARGIN = 100_000
"""So many more are let through: whoever counts on the other side has to see that it was more."""
_NOTE = "\n[cut: this is more than a report may print]\n"


def cap(room: int) -> None:
    """Let the streams of this process take about *room* characters in all, and no more."""
    left = [room + _MARGIN]
    for stream in (sys.stdout, sys.stderr):
        stream.write = _limited(stream.write, left)  # type: ignore[method-assign]


def _limited(write: Callable[[str], int], left: list[int]) -> Callable[[str], int]:
    def limited(text: str) -> int:
        """Write *text* as far as there is room."""
        if left[0] <= 0:
            return len(text)
        taken = text if len(text) <= left[0] else text[: left[0]] + _NOTE
        left[0] -= len(text)
        write(taken)
        return len(text)

    return limited
