"""Servers that a bench starts, on free ports of the loopback interface, and ends."""

import os
import signal
import socket
import subprocess
from contextlib import suppress

_STOP_SECONDS = 20.0


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server that leads a session of its own: politely, then with all that is left of it."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
