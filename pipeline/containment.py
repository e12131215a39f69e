"""Running users' code under a supervisor: start it, limit it, and really end it.

The supervisor (``provenote._supervise``, which says what it speaks) is a process above the
code and below the runner. Whoever holds the other end of its socket decides; when that end is
closed, by whatever happens to us, everything below the supervisor is killed.
"""

import contextlib
import importlib.util
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.workplace import MARKER
from provenance.errors import ProvenoteError

INTERRUPT_SECONDS = 0.75
"""How long code that is to end may take to heed an interrupt, before it is asked to terminate."""
TERMINATE_SECONDS = 0.5
"""How long it may then take before it is killed."""
_SWEEP_SECONDS = 1.0
ENDED_SECONDS = INTERRUPT_SECONDS + TERMINATE_SECONDS + 3.0
"""How long what is asked to end, and killed where it does not heed, may take altogether."""
_KILLED = -9
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from provenote._supervise import main; main(int(sys.argv[2]))"
)


@dataclass(frozen=True)
class TreeLimits:
    """How much a process and all that it starts may use together; None: without a limit."""

    memory: int | None = None
    """Bytes of memory, what several share counted once."""
    processes: int | None = None
    disk: int | None = None
    """Bytes by which ``disk_root`` may grow."""
    disk_root: str | None = None
    open_files: int | None = None
    """Files that each process may have open."""
    file_bytes: int | None = None
    """How large one file may become."""


UNLIMITED = TreeLimits()


@dataclass(frozen=True)
class Cover:
    """Which directories look empty, and what of them can be seen all the same."""

    hide: Sequence[str]
    read: Sequence[str] = ()
    write: Sequence[str] = ()


@dataclass(frozen=True)
class Isolation:
    """That code gets namespaces of its own: its processes, its mounts, perhaps its network."""

    network: bool = True
    """Whether it has the machine's network."""
    cover: Cover | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any] | None) -> "Isolation | None":
        """Return the isolation of a job's message."""
        if told is None:
            return None
        return cls(told["network"], Cover(**told["cover"]) if told["cover"] else None)


class NotCoveredError(ProvenoteError):
    """Raised when a process that runs already cannot be kept from seeing what it should not."""

    code = "not_covered"


@dataclass(frozen=True)
class Exceeded:
    """The limit for which a supervisor killed everything: bytes, or a number of processes."""

    limit: str
    used: int
    allowed: int


class Supervised:
    """A process, and all that it starts, under a supervisor; made from the socket to it."""

    def __init__(self, control: socket.socket) -> None:
        self.pid: int | None = None
        """The process, once it has been started; in the supervisor's numbers."""
        self.returncode: int | None = None
        """How the process ended, as `subprocess` counts; set when nothing is left of its tree."""
        self.left: int | None = None
        """The same as soon as the process itself has ended; what it left may still be there."""
        self.exceeded: Exceeded | None = None
        self.complaint: str | None = None
        """Why it could not be started, or why the supervisor gave up."""
        self.covered: bool | None = None
        """Whether what was asked for by `cover` is done; None before it is known."""
        self.lost = False
        """Whether the supervisor itself was killed. The kernel then ends the process; what it
        had started is left to the subreaper above."""
        self._control = control
        self._buffer = b""
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """Return the descriptor that is readable when `poll` has something new to see."""
        return self._control.fileno()

    def limit(self, limits: TreeLimits) -> None:
        """Hold the process, and all that it started or will, to *limits*."""
        self.say({"op": "limits", **asdict(limits)})

    def signal(self, number: int) -> None:
        """Send the signal to the process and its group; one that has ended gets none."""
        self.say({"op": "signal", "number": int(number)})

    def end(
        self, interrupt: float = INTERRUPT_SECONDS, terminate: float = TERMINATE_SECONDS
    ) -> None:
        """Begin to end everything: ask by SIGINT and SIGTERM for so many seconds each, then kill.

        A signal with no time is left out. `wait` says when it is over.
        """
        self.say({"op": "end", "interrupt": interrupt, "terminate": terminate})

    def cover(self, cover: Cover, timeout: float = 10.0) -> None:
        """Cover directories for the process and all that it starts; it has to be isolated.

        Returns when it is done. Raises NotCoveredError.
        """
        self.covered = None
        self.say({"op": "cover", **asdict(cover)})
        until = time.monotonic() + timeout
        while self.poll() is None and self.covered is None and time.monotonic() < until:
            select.select([self._control], [], [], max(0.0, until - time.monotonic()))
        if not self.covered:
            raise NotCoveredError(f"Nothing was covered: {self.complaint or 'it did not answer'}.")

    def say(self, message: Mapping[str, Any]) -> None:
        """Send *message* to the supervisor; one that is gone needs to hear nothing more."""
        data = json.dumps(message).encode() + b"\n"
        with contextlib.suppress(OSError):
            self._control.sendall(data)

    def poll(self) -> int | None:
        """Take in what the supervisor said; return the status if everything has ended."""
        with self._lock:
            self._take_in()
        return self.returncode

    def _take_in(self) -> None:
        while self.returncode is None:
            try:
                chunk = self._control.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            if not chunk:
                self.lost, self.returncode = True, _KILLED
                break
            *lines, self._buffer = (self._buffer + chunk).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))

    def _hear(self, told: Mapping[str, Any]) -> None:
        match told["event"]:
            case "started":
                self.pid = told["pid"]
            case "failed":
                self.complaint = told["message"]
            case "covered":
                self.covered = True
            case "uncovered":
                self.covered, self.complaint = False, told["message"]
            case "exceeded":
                self.exceeded = Exceeded(told["limit"], told["used"], told["allowed"])
            case "left":
                self.left = told["status"]
            case "ended":
                self.returncode = _KILLED if told["status"] is None else told["status"]

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until everything has ended and return the status; None when *timeout* is over."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            with contextlib.suppress(ValueError):  # closed meanwhile: `poll` sees that
                select.select([self._control], [], [], left)
        return self.returncode

    def close(self) -> None:
        """Let go of the supervisor; everything that is still there is killed."""
        AT_WORK.discard(self)
        with self._lock:
            self._take_in()
            self._control.close()
            if self.returncode is None:  # nobody hears of it any more
                self.returncode = _KILLED if self.left is None else self.left


AT_WORK: set[Supervised] = set()
"""What executes users' code for this process just now."""


def end_at_work() -> None:
    """End all that is at work: ask first, kill what does not heed."""
    ending = list(AT_WORK)
    for process in ending:
        process.end()
    for process in ending:
        process.wait(INTERRUPT_SECONDS + TERMINATE_SECONDS + _SWEEP_SECONDS)


@dataclass(frozen=True)
class Program:
    """What is to be run: arguments, working directory, and its whole environment."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    limits: TreeLimits = UNLIMITED
    isolation: Isolation | None = None


class SupervisedProcess(Supervised):
    """A program that was started under a supervisor of its own, as our child."""

    def __init__(self, program: Program, output: BinaryIO | int = subprocess.PIPE) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, sdk_root(), str(theirs.fileno())],
                cwd="/",
                # Marked like what it supervises: both are found if we are killed.
                env={MARKER: program.env.get(MARKER, "")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
            )
        super().__init__(ours)
        self.stdout = self._supervisor.stdout
        """What the program prints, both streams in one, if no other place was given for it."""
        argv = [os.fspath(argument) for argument in program.argv]
        started = {"argv": argv, "cwd": str(program.cwd), "env": dict(program.env)}
        isolation = asdict(program.isolation) if program.isolation else None
        self.say({"op": "start", **started, "isolation": isolation})
        AT_WORK.add(self)
        self.limit(program.limits)

    def close(self) -> None:
        """Let go of the supervisor, wait until it has killed what is left, and tidy up."""
        super().close()
        self._supervisor.wait()
        if self.stdout is not None:
            self.stdout.close()

    def __enter__(self) -> "SupervisedProcess":
        """Return itself; with the end of the block all of it ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what is left."""
        self.close()


@cache
def sdk_root() -> str:
    """Return the directory that the package ``provenote`` can be imported from."""
    found = importlib.util.find_spec("provenote")
    if found is None or not found.submodule_search_locations:
        raise ProvenoteError("The SDK is not installed beside provenote.", "Run `make setup`.")
    return str(Path(found.submodule_search_locations[0]).parent)
