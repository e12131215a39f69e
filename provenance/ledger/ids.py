"""Identifiers that sort by the time they were made."""

import secrets
import threading
import time
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


class _Clock:
    """Gives numbers that always grow, also within one millisecond and when time is set back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def tick(self) -> int:
        """Return 48 bits of milliseconds and 80 random bits."""
        fresh = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        with self._lock:
            if fresh >> 80 <= self._last >> 80:
                # A random step: a process forked from this one goes on from the same number.
                fresh = self._last + 1 + secrets.randbits(64)
            self._last = fresh
        return fresh


_clock = _Clock()


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 26 characters: 48 bits of milliseconds, 80 random bits.

    The digits are Crockford's base 32 in lower case, as in the ULID specification, so
    identifiers sort by age as plain text and never hold ``i``, ``l``, ``o`` or ``u``. Those
    made by one process sort in the order they were made.
    """
    return _written(prefix, _clock.tick())


def is_id(prefix: str, text: str) -> bool:
    """Tell whether *text* has the form of such an identifier."""
    head, _, digits = text.partition("_")
    return head == prefix and len(digits) == _LENGTH and set(digits) <= set(_ALPHABET)


def first_id(prefix: str, at: datetime) -> str:
    """Return what every identifier that is made at *at* or later sorts after."""
    return _written(prefix, max(0, int(at.timestamp() * 1000)) << 80)


def _written(prefix: str, value: int) -> str:
    digits = [_ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(_LENGTH))]
    return f"{prefix}_{''.join(digits)}"
