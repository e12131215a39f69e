"""Following a child process: what it prints goes to its log until it has ended."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.runner.messages import Failure

MAX_LOG_BYTES = 20 * 1024 * 1024
GRACE_SECONDS = 2.0


def follow(
    child: "subprocess.Popen[bytes]", log: Path, emit: Callable[[dict[str, Any]], None]
) -> None:
    """Copy what *child* prints to its log until it has ended, whoever else holds its output."""
    assert child.stdout is not None  # noqa: S101
    until = float("inf")
    with log.open("ab") as sink, selectors.DefaultSelector() as selector:
        printed = _Printed(sink, emit)
        selector.register(child.stdout, selectors.EVENT_READ)
        while time.monotonic() < until:
            ended = child.poll() is not None
            if ended:
                # What it printed last is still to be read; what it left may print for ever.
                until = min(until, time.monotonic() + GRACE_SECONDS)
            if selector.select(0.2):
                chunk = os.read(child.stdout.fileno(), 65536)
                if not chunk:
                    child.wait()
                    return
                printed.take(chunk)
            elif ended:
                return


class _Printed:
    """Takes what is printed, as far as a log may grow."""

    def __init__(self, sink: BinaryIO, emit: Callable[[dict[str, Any]], None]) -> None:
        self._sink = sink
        self._emit = emit
        self._room = MAX_LOG_BYTES

    def take(self, chunk: bytes) -> None:
        """Write and tell *chunk*; say it once where there is no more room."""
        if self._room <= 0:
            return
        self._emit({"event": "log", "text": chunk.decode(errors="replace")})
        self._sink.write(chunk[: self._room])
        self._room -= len(chunk)
        if self._room <= 0:
            self._sink.write(b"\n[cut: the log is limited to 20 MiB]\n")


def died(status: int) -> Failure:
    """Return the failure of a process that ended without a result."""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Failure(
        "died",
        f"The stage's process died ({how}) before it had a result.",
        hint="A library may have crashed or called os._exit, or memory was short.",
    )
