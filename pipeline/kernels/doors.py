"""Sockets at which kernel hosts answer: none is waited for longer than is good for who asks."""

import socket
import struct
from pathlib import Path

_SECONDS = 10.0
"""A host takes many clients while it still imports; who finds it full after this long gives up."""


def reach(connection: socket.socket, door: Path, seconds: float = _SECONDS) -> None:
    """Connect to the host at *door*; raises OSError where none answers within *seconds*.

    Not by Python's own timeout: with it, a socket of this kind does not wait for a place at all.
    """
    _wait_at_most(connection, seconds)
    connection.connect(str(door))
    _wait_at_most(connection, 0.0)


def is_open(door: Path) -> bool:
    """Tell whether somebody listens at *door*, also who has no time now."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.setblocking(False)
        try:
            trial.connect(str(door))
        except BlockingIOError:
            return True  # others wait there already
        except OSError:
            return False
    return True


def _wait_at_most(connection: socket.socket, seconds: float) -> None:
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    told = struct.pack("ll", whole, part)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, told)
