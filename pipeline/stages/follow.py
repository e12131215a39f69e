"""Following a program under its supervisor: what it prints goes to its log until all has ended."""

import os
import selectors
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.containment import Supervised, SupervisedProcess
from pipeline.exceeding import exceeding
from pipeline.runner.messages import Failure

MAX_LOG_BYTES = 20 * 1024 * 1024
_CHUNK = 65536
_NOTE = 100
"""So many bytes are left for the note that there was more."""
Emit = Callable[[dict[str, Any]], None]


def follow(process: SupervisedProcess, log: Path, emit: Emit, room: int = MAX_LOG_BYTES) -> int:
    """Copy what is printed to *log*, *room* bytes at most, and return the status.

    Returns when nothing is left of the program and of all that it started.
    """
    assert process.stdout is not None  # noqa: S101
    output = process.stdout.fileno()
    os.set_blocking(output, False)
    with log.open("ab") as sink, selectors.DefaultSelector() as selector:
        printed = _Printed(sink, emit, min(room, MAX_LOG_BYTES))
        selector.register(output, selectors.EVENT_READ)
        selector.register(process, selectors.EVENT_READ)
        while (status := process.poll()) is None:
            ready = {key.fd for key, _ in selector.select()}
            if output in ready and not printed.read_from(output):
                selector.unregister(output)  # closed by all who had it: they may still run
        while printed.read_from(output):
            pass
    return status


class _Printed:
    """Takes what is printed, as far as a log may grow."""

    def __init__(self, sink: BinaryIO, emit: Emit, room: int) -> None:
        self._sink = sink
        self._emit = emit
        self._allowed = room
        self._room = room - _NOTE

    def read_from(self, output: int) -> bool:
        """Take what waits to be read; tell whether there was anything."""
        try:
            chunk = os.read(output, _CHUNK)
        except BlockingIOError:
            return False
        self._take(chunk)
        return bool(chunk)

    def _take(self, chunk: bytes) -> None:
        """Write and tell *chunk*; say it once where there is no more room."""
        if self._room <= 0 or not chunk:
            return
        self._write(chunk[: self._room])
        self._room -= len(chunk)
        if self._room <= 0:
            self._write(f"\n[cut: the log is limited to {self._allowed:,} bytes]\n".encode())

    def _write(self, chunk: bytes) -> None:
        self._emit({"event": "log", "text": chunk.decode(errors="replace")})
        self._sink.write(chunk)


def ended_by_us(process: Supervised, what: str) -> Failure | None:
    """Return why the supervisor ended *what*, or could not keep it; None where it did neither."""
    if process.exceeded is not None:
        return exceeding(process.exceeded, what)
    if process.complaint is not None:
        return Failure("start", f"{what} could not be started: {process.complaint}.")
    if process.lost:
        return Failure(
            "died",
            f"{what} ended the process that supervised it, and was ended with it.",
            hint="It may have sent a signal to its parent, or to every process it could reach.",
        )
    return None


def died(status: int) -> Failure:
    """Return the failure of a process that ended without a result."""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Failure(
        "died",
        f"The stage's process died ({how}) before it had a result.",
        hint="A library may have crashed or called os._exit, or the machine was short of memory.",
    )
