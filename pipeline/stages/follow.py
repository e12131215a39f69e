"""Following a child process: what it prints goes to its log until it has ended."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.runner.messages import Failure

MAX_LOG_BYTES = 20 * 1024 * 1024
GRACE_SECONDS = 2.0


def follow(
    child: "subprocess.Popen[bytes]", log: Path, emit: Callable[[dict[str, Any]], None]
) -> None:
    """Copy what *child* prints to its log until it has ended, whoever else holds its output."""
    assert child.stdout is not None  # noqa: S101
    room, ended = MAX_LOG_BYTES, None
    with log.open("ab") as sink, selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        lingers = float("inf")
        while time.monotonic() < lingers:
            if child.poll() is not None:
                # What it printed last is still to be read; what it left may print for ever.
                lingers = min(lingers, time.monotonic() + GRACE_SECONDS)
            if not selector.select(0.2):
                if child.poll() is not None:
                    return
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk:
                child.wait()
                return
            if child.poll() is not None and ended is None:
                ended = time.monotonic()
            if ended is not None and time.monotonic() - ended > GRACE_SECONDS:
                return  # whoever still writes there is not the stage
            if room > 0:
                emit({"event": "log", "text": chunk.decode(errors="replace")})
                sink.write(chunk[:room])
                room -= len(chunk)
                if room <= 0:
                    sink.write(b"\n[cut: the log is limited to 20 MiB]\n")


def died(status: int) -> Failure:
    """Return the failure of a process that ended without a result."""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Failure(
        "died",
        f"The stage's process died ({how}) before it had a result.",
        hint="A library may have crashed or called os._exit, or memory was short.",
    )
