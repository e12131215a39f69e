"""The kernel host: ``python -P -m provenote._host SPEC``, a process that forks warm kernels.

It has IPython's kernel and the packages that a project asks for imported, no threads of its own,
and nothing of any run. Who connects to its socket gets a kernel: a fork of it that serves one run,
below a supervisor that holds the connection from then on. What was imported is shared between all
of them, page by page, until somebody writes to it.

It ends when the process that started it is gone, or closes the pipe between them; one that is
shared by all processes of a user ends when it is idle.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provenote._begin import hear_of_children
from provenote._family import Family, send
from provenote._inside import Isolation
from provenote._kernel import IMPORTED, become_kernel, remember_environment
from provenote._rehearse import rehearse
from provenote._supervise import supervise

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_FOR_A_KERNEL = ("ipykernel", "IPython", "ipywidgets", "comm", "debugpy", "_pydev", "pydev")
_MOST_LEARNED = 5_000
_LEFT_SECONDS = 1.0
_ASKED_SECONDS = 5.0
_MOST_ASKED = 64 * 1024
_MOST_TOLD = 1024 * 1024
_KERNEL = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger"),
    *("IPython.core.completerlib", "IPython.core.oinspect", "IPython.core.debugger"),
    *("IPython.core.pylabtools", "IPython.extensions.storemagic", "tornado.platform.asyncio"),
    *("sqlite3", "pydoc", "provenote._results", "provenote._context"),
)
"""What a kernel imports anyhow, before its first cell; not all versions have all of it."""


def main(arguments: Sequence[str]) -> None:
    """Serve kernels until the parent is gone."""
    place = os.getcwd()  # noqa: PTH109 - what is imported may go elsewhere
    remember_environment()
    spec = json.loads(arguments[0])
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is our parent's affair
    imports(spec["preload"])
    os.chdir(place)
    door = socket.socket(fileno=spec["door"])
    door.setblocking(False)
    isolation = Isolation.read(spec["isolation"])
    Host(place, door, spec["parent"], spec["idle"], spec["most"], isolation).serve()


def imports(preload: Sequence[str]) -> None:
    """Import what kernels need and what the project asks for, and freeze it for forks.

    What cannot be imported is passed over: a cell that imports it meets the same error, and
    tells it to the one who can mend it.
    """
    # As a kernel sets it before its first cell: matplotlib reads it when it is imported.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in (*_KERNEL, *preload):
        try:
            importlib.import_module(name)
        except BaseException as error:  # a package may even call sys.exit
            if name in preload:
                print(f"not preloaded: {name}: {error!r}", file=sys.stderr, flush=True)
    _freeze()


def learn(names: Sequence[str]) -> None:
    """Import what a run has imported, of packages that are here already, for those after it.

    A package often imports its parts only when they are needed, such as the painter of the first
    figure. None is imported here that would look for the kernel that it is in.
    """
    for name in names:
        known = name.partition(".")[0] in sys.modules
        if known and name not in sys.modules and not name.startswith(_LOOK_FOR_A_KERNEL):
            with contextlib.suppress(BaseException):
                importlib.import_module(name)
    _freeze()


def _freeze() -> None:
    rehearse()
    gc.collect()
    # What is frozen is looked at by no collection, which would copy its pages into each kernel.
    gc.freeze()


@dataclass
class Host:
    """Forks a kernel for each connection, and buries the supervisors that have ended."""

    place: str
    """Its own directory, which it removes in the end."""
    door: socket.socket
    parent: int | None
    """A descriptor that ends when the process that started this one is gone."""
    idle: float | None
    """After how many seconds without a kernel it ends by itself; None: its parent sees to that."""
    most: int
    """How many kernels there may be at a time."""
    isolation: Isolation | None
    """How each of them is set apart from the machine."""
    places: dict[int, str] = field(default_factory=dict)
    """The directory of each kernel, by the process that supervises it."""
    learned: set[str] = field(default_factory=set)
    shared: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))
    """The modules that are imported here. To ask a kernel, which has them too, is dear: it
    would copy the pages on which their names lie."""
    woken: tuple[int, int] = (-1, -1)
    """A pipe whose first end is readable when a supervisor may have ended."""
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> None:
        """Answer at the door until the parent is gone."""
        self.woken = hear_of_children()
        for watched in (self.door, self.parent, self.woken[0]):
            if watched is not None:
                self.selector.register(watched, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in self.selector.select(self.idle)}
            if self.parent in ready or not (ready or self.places):
                self._leave()
            with contextlib.suppress(BlockingIOError):
                os.read(self.woken[0], 4096)
            self._bury()
            if self.door in ready:
                self._answer()

    def _leave(self) -> None:
        """End, when the kernels have, but soon: those at work go on, and hang on their clients."""
        until = time.monotonic() + _LEFT_SECONDS
        while self.places and time.monotonic() < until:
            time.sleep(0.01)
            self._bury(learns=False)
        if not self.places:
            _remove(self.place)
        os._exit(0)

    def _answer(self) -> None:
        # Whatever comes in at the door, those that ask after it are to be answered.
        with contextlib.suppress(Exception):
            connection, _ = self.door.accept()
            with connection:
                asked = _asked(connection)
                self._insist_on_own(asked["directory"])
                if len(self.places) >= self.most:
                    connection.sendall(b'{"event": "failed", "message": "too many kernels"}\n')
                    return
                pid = fork(lambda: self._become(connection, asked))
                self.places[pid] = asked["directory"]

    def _insist_on_own(self, directory: str) -> None:
        """Raise ValueError unless *directory* lies in our place: we are to remove it."""
        above, name = os.path.split(directory)
        if above != self.place or name in ("", ".", "..") or Path(directory).is_symlink():
            raise ValueError(f"{directory} is no directory of this host")

    def _become(self, connection: socket.socket, asked: dict[str, Any]) -> None:
        """Turn this process, a fresh fork, into the supervisor of a kernel."""
        self.selector.close()  # and nothing unregistered: what it watches is the host's too
        self.door.close()
        signal.set_wakeup_fd(-1)
        for end in (self.parent, *self.woken):
            if end is not None:
                os.close(end)  # no kernel may hold what tells the host of its parent's end
        supervise(connection, lambda: become_kernel(asked, self.shared), self.isolation)

    def _bury(self, learns: bool = True) -> None:
        """Reap what has ended: supervisors, and what one that was killed has left behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if place := self.places.pop(pid, None):
                if status != 0:
                    self._end_strays()
                elif learns:
                    self._learn_from(place)
                _remove(place)

    def _end_strays(self) -> None:
        """End what a supervisor that was killed has left: it is below us now, and nobody's."""
        until = time.monotonic() + _LEFT_SECONDS
        while time.monotonic() < until:
            children = [one for one in Family(os.getpid()).surely() if one.parent == os.getpid()]
            strays = [one for one in children if one.pid not in self.places and one.living]
            if not strays:
                return
            send(strays, signal.SIGKILL)
            time.sleep(0.01)  # what they have started is below us then

    def _learn_from(self, place: str) -> None:
        """Import what a kernel has imported, unless it imported nothing new."""
        with contextlib.suppress(Exception):
            names = _told(Path(place, IMPORTED))
            if any(name not in self.learned for name in names):
                self.learned.update(names)
                learn(names)
                os.chdir(self.place)  # a module may have gone elsewhere


def _told(file: Path) -> list[str]:
    """Return the names that a kernel has left; its cells may have put anything there instead.

    Raises OSError where it is no plain file, and what JSON raises where it is none.
    """
    opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(opened, "rb") as told:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_TOLD:
            raise OSError(f"{file} is no list of names")
        names = json.loads(told.read(_MOST_TOLD))
    return [name for name in names[:_MOST_LEARNED] if isinstance(name, str)]


def _asked(connection: socket.socket) -> dict[str, str]:
    """Return what a client asks for: a kernel whose ``directory`` and ``log`` it names.

    Raises OSError or ValueError where it asks for nothing that makes sense.
    """
    asked = json.loads(_line(connection))
    connection.settimeout(None)
    if not isinstance(asked, dict) or not all(
        isinstance(asked.get(name), str) for name in ("directory", "log")
    ):
        raise ValueError("nobody asked for a kernel")
    return asked


def _remove(place: str) -> None:
    """Remove a directory and all in it, however deep; what cannot be removed stays."""
    try:
        shutil.rmtree(place, ignore_errors=True)
    except RecursionError:  # deeper than Python's own goes, before its version 3.13
        with contextlib.suppress(OSError):
            subprocess.run(["rm", "-rf", "--", place], check=False, capture_output=True)


def _line(connection: socket.socket) -> bytes:
    """Read one line, and not a byte more: what follows is for the supervisor."""
    line, until = b"", time.monotonic() + _ASKED_SECONDS
    while not line.endswith(b"\n"):
        connection.settimeout(max(0.01, until - time.monotonic()))
        piece = connection.recv(1)
        if not piece or len(line) > _MOST_ASKED or time.monotonic() > until:
            raise OSError("nobody asked for anything")
        line += piece
    return line


def fork(child: Callable[[], None]) -> int:
    """Fork; the child does what it is given, and never comes back from here."""
    pid = os.fork()
    if pid == 0:
        try:
            child()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


if __name__ == "__main__":
    main(sys.argv[1:])
