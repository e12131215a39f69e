"""Kernels that wait for a run: asked of a host beforehand, handed out once."""

import contextlib
import json
import shutil
import socket
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from pipeline.containment import Supervised
from pipeline.kernels.doors import reach
from pipeline.kernels.failures import KernelStartError

_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
_DIRECTORIES_AHEAD = 2


@dataclass(frozen=True)
class WaitingKernel:
    """A kernel that runs and knows of no run yet; its supervisor obeys ``held``."""

    held: Supervised
    directory: Path
    """Private: connection file, sockets, and what the process prints past the kernel's streams.
    Its host looks into it when the kernel has ended, and removes it."""

    @property
    def connection_file(self) -> Path:
        """Where its sockets and its key are written down."""
        return self.directory / "connection.json"

    @property
    def log(self) -> Path:
        """What it printed past the kernel's own streams."""
        return self.directory / "log"

    @property
    def told(self) -> Path:
        """The socket at which it is told of its run, once."""
        return self.directory / "begin"

    @property
    def listens(self) -> bool:
        """Whether its sockets are there; the heartbeat's is bound last."""
        return (self.directory / f"k-{_CHANNELS.index('hb') + 1}").exists()

    def close(self) -> None:
        """End it, if it has not ended; its host then removes the directory."""
        self.held.close()


def ask(door: Path) -> WaitingKernel:
    """Ask the host at *door* for a kernel; it gets ready while the caller goes on.

    Raises KernelStartError where nobody answers.
    """
    directory = door.resolve().parent / uuid.uuid4().hex[:8]
    try:
        directory.mkdir(mode=0o700)
        (directory / "connection.json").write_text(json.dumps(_connection(directory)))
    except OSError as error:  # the host has ended meanwhile, and its place is gone
        raise KernelStartError(f"The kernel host has no place any more: {error}.") from error
    asked = {"directory": str(directory), "log": str(directory / "log")}
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        reach(connection, door)
        connection.sendall(json.dumps(asked).encode() + b"\n")
    except OSError as error:
        connection.close()
        shutil.rmtree(directory, ignore_errors=True)
        raise KernelStartError(f"The kernel host does not answer: {error}.") from error
    return WaitingKernel(Supervised(connection), directory)


def _connection(directory: Path) -> dict[str, str | int]:
    """Return where the kernel listens, in the words of a connection file of Jupyter's."""
    ports = {f"{name}_port": number for number, name in enumerate(_CHANNELS, start=1)}
    key, ip = uuid.uuid4().hex, str(directory / "k")
    signed = {"key": key, "signature_scheme": "hmac-sha256"}
    return {"transport": "ipc", "ip": ip, **signed, **ports}


class Pool:
    """Keeps a kernel ready for the hosts that were asked last, one each."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Path, WaitingKernel]] = deque()
        self._lock = threading.Lock()

    def take(self, door: Path) -> WaitingKernel:
        """Return a kernel of the host at *door*; nobody else gets it."""
        with self._lock:
            for found in list(self._waiting):
                if found[0] == door:
                    self._waiting.remove(found)
                    if found[1].held.poll() is None:
                        return found[1]
                    found[1].close()
        return ask(door)

    def prepare(self, door: Path) -> None:
        """Let a kernel of the host at *door* get ready, for the next run."""
        if self._knows(door):
            return
        with contextlib.suppress(KernelStartError):
            # Nobody else is kept waiting by a host that does not answer.
            self._keep(door, ask(door))

    def _knows(self, door: Path) -> bool:
        with self._lock:
            return any(one == door for one, _ in self._waiting)

    def _keep(self, door: Path, kernel: WaitingKernel) -> None:
        with self._lock:
            if any(one == door for one, _ in self._waiting):
                kernel.close()  # another thread was faster
                return
            self._waiting.append((door, kernel))
            while len(self._waiting) > _DIRECTORIES_AHEAD:
                self._waiting.popleft()[1].close()

    def close(self) -> None:
        """End what waits."""
        with self._lock:
            while self._waiting:
                self._waiting.pop()[1].close()


POOL = Pool()
"""Where kernels wait in a process that executes reports, which is a runner."""
