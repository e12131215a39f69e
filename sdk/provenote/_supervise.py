"""The process above one attempt's code: it limits what is below it, and really ends it.

It is the subreaper of all that is started there and speaks JSON lines over a socket, which the
one who holds the other end uses as a lease: when that end closes, everything is killed.

In:  ``{"op": "start", "argv": [...], "env": {...}, "cwd": "..."}`` (only `main`, and first)
     ``{"op": "limits", "memory": bytes, "processes": n, "disk": bytes, "disk_root": "...",
     "open_files": n, "file_bytes": bytes}``, each may be missing or null; at any time
     ``{"op": "signal", "number": 2}`` to the process that was started, and its group
     ``{"op": "end", "interrupt": seconds, "terminate": seconds}``: SIGINT, SIGTERM and SIGKILL
     to the whole tree, with these seconds between them
Out: ``{"event": "started", "pid": n}``
     ``{"event": "failed", "message": "..."}`` where it could not start, or gave up by itself
     ``{"event": "exceeded", "limit": "memory" | "processes" | "disk", "used": n, "allowed": n}``,
     and all is killed
     ``{"event": "ended", "status": n}``, as `subprocess` counts: the last line, when nothing is
     left below

It contains accidents, not enemies: what it watches runs as the same user and may kill it. Then
the kernel ends the process that was started, and what that one left is the affair of the
subreaper above this one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from provenote._family import Family, end_all, send
from provenote._watch import Exceeded, Limits, Watch

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LEFT_SECONDS = 1.0
"""What is still there when the process that was started has ended gets this long to end too."""
_LOOK_SECONDS = 0.02
_NEVER = float("inf")
_MAX_WORDS = 4_000
_DEFAULTS = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGQUIT, signal.SIGPIPE)


def supervise(control: socket.socket, start: Callable[[], None]) -> NoReturn:
    """Fork, let the child *start*, and stay above it until it and all it started have ended.

    Called in a process of one thread that was forked for this; it never returns. The child
    leads a session of its own, has Python's usual signal handlers, and ends with its
    supervisor. What *start* raises is told as "failed"; where it returns, the child leaves
    with status 0.
    """
    try:
        _Supervisor(control).run(start)
    except BaseException:
        _tell(control, {"event": "failed", "message": traceback.format_exc()[-_MAX_WORDS:]})
        with contextlib.suppress(BaseException):
            end_all(Family(os.getpid()), _reap_all)
    finally:
        os._exit(0)
    raise AssertionError  # os._exit does not return


def main(control: int) -> NoReturn:
    """Be the supervisor of the program that the first line on the socket *control* names."""
    connection = socket.socket(fileno=control)
    connection.set_inheritable(False)
    told = json.loads(_first_line(connection))

    def become() -> None:
        os.chdir(told["cwd"])
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, programs do not
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(told["argv"][0], told["argv"], told["env"])  # noqa: S606

    supervise(connection, become)


def _first_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        chunk = connection.recv(1)  # no more than this line: others may follow at once
        if not chunk:
            os._exit(0)
        line += chunk
    return line


class _Supervisor:
    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.family = Family(os.getpid())
        self.watch = Watch(self.family, Limits())
        self.child = 0
        self.status: int | None = None
        self.complaint = -1
        self.buffer = b""
        self.rungs: list[tuple[int, float]] = []
        """Signals that are still to be sent to all, and how long each may take to be heeded."""
        self.next_rung = _NEVER
        self.leaving = False
        self.alone = False
        """Whether nothing is left below: as it reaps all of it, that is certain."""

    def run(self, start: Callable[[], None]) -> None:
        """Start the child, serve until it has ended, and leave nothing below."""
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with contextlib.suppress(PermissionError):  # it leads one already
            os.setsid()
        wakes, self.waker = socket.socketpair()
        for end in (wakes, self.waker):
            end.setblocking(False)
        self._listen()
        self._start(start, wakes)
        self.control.setblocking(False)
        self._tell({"event": "started", "pid": self.child})
        while not self._over():
            readable, _, _ = select.select([self.control, wakes], [], [], self._pause())
            if wakes in readable:
                wakes.recv(4096)
            if self.control in readable:
                self._hear()
            self._reap()
            self._climb()
            self._look()
        self._finish()

    def _listen(self) -> None:
        """Hear of children that end, and of a wish that this ends; the terminal's is not ours."""
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _leave(self, *_: object) -> None:
        self.leaving = True

    def _start(self, start: Callable[[], None], wakes: socket.socket) -> None:
        supervisor = os.getpid()
        self.complaint, tells = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            try:
                for end in (wakes, self.waker, self.control):
                    end.close()
                os.close(self.complaint)
                _become_child(supervisor)
            except BaseException as error:
                _complain(tells, error)
            _run(start, tells)
        os.close(tells)
        self._let_go({self.control.fileno(), wakes.fileno(), self.waker.fileno(), self.complaint})

    @staticmethod
    def _let_go(kept: set[int]) -> None:
        """Close all files but those in *kept*: whoever waits for their end must not wait for us."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in kept:
                with contextlib.suppress(OSError):
                    os.close(int(name))

    def _over(self) -> bool:
        """Whether only the sweep is left to do."""
        if self.leaving:
            return True
        return self.status is not None and not self.rungs and time.monotonic() >= self.next_rung

    def _pause(self) -> float | None:
        """Return for how long nothing needs to be done unless something happens; None: ever."""
        due = min(self.next_rung, self.watch.due if self.watch.needed else _NEVER)
        if self.status is not None:
            due = min(due, time.monotonic() + _LOOK_SECONDS)
        return None if due == _NEVER else max(0.0, due - time.monotonic())

    def _hear(self) -> None:
        try:
            chunk = self.control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.leaving = True  # whoever asked for this is gone
            return
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, told: Mapping[str, Any]) -> None:
        match told["op"]:
            case "limits":
                self._limit(Limits.read(told))
            case "signal" if self.status is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.child, int(told["number"]))
            case "end":
                graces = (signal.SIGINT, told["interrupt"]), (signal.SIGTERM, told["terminate"])
                self.rungs = [(number, grace) for number, grace in graces if grace > 0]
                self.next_rung = 0.0

    def _limit(self, limits: Limits) -> None:
        """Hold what runs already to *limits*, and with it all that it will start."""
        self.watch = Watch(self.family, limits)
        for process in self.family.surely():
            for kind, most in _resources(limits).items():
                with contextlib.suppress(OSError, ValueError):
                    hard = resource.prlimit(process.pid, kind)[1]
                    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
                    resource.prlimit(process.pid, kind, (allowed, allowed))

    def _reap(self) -> bool:
        """Take the status of those that ended; tell whether there are others."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.child:
                    self.status = os.waitstatus_to_exitcode(ended[1])
        except ChildProcessError:
            self.alone = True
        return not self.alone

    def _climb(self) -> None:
        """Send the next signal when its time has come; see whether it is needed any more."""
        if self.status is not None and self.next_rung == _NEVER:
            self.rungs, self.next_rung = [(signal.SIGTERM, _LEFT_SECONDS)], 0.0
        if self.alone:
            self.rungs, self.next_rung = [], 0.0
        if time.monotonic() < self.next_rung:
            return
        if not self.rungs:
            self.leaving = True
            return
        number, grace = self.rungs.pop(0)
        send(self.family.surely(), number)
        self.next_rung = time.monotonic() + grace

    def _look(self) -> None:
        if not self.watch.needed or time.monotonic() < self.watch.due or self.leaving:
            return
        exceeded: Exceeded | None = self.watch.look()
        if exceeded is not None:
            self.leaving = True
            end_all(self.family, self._reap)
            self._tell({"event": "exceeded", **vars(exceeded)})

    def _finish(self) -> None:
        end_all(self.family, self._reap)
        os.set_blocking(self.complaint, False)
        with contextlib.suppress(BlockingIOError):
            if words := os.read(self.complaint, 65536).decode(errors="replace"):
                self._tell({"event": "failed", "message": words})
        self._tell({"event": "ended", "status": self.status})

    def _tell(self, event: dict[str, Any]) -> None:
        if not _tell(self.control, event):
            self.leaving = True


def _tell(control: socket.socket, event: dict[str, Any]) -> bool:
    """Send *event*, and return whether somebody is there to hear it."""
    try:
        control.sendall(json.dumps(event).encode() + b"\n")
    except OSError:
        return False
    return True


def _reap_all() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _resources(limits: Limits) -> dict[int, int]:
    """Return what the system itself can hold a process to."""
    limited = {resource.RLIMIT_CORE: 0}
    if limits.open_files is not None:
        limited[resource.RLIMIT_NOFILE] = limits.open_files
    if limits.file_bytes is not None:
        limited[resource.RLIMIT_FSIZE] = limits.file_bytes
    return limited


def _become_child(supervisor: int) -> None:
    """Be a process as one that was started from a shell, but for who is above it."""
    signal.set_wakeup_fd(-1)
    for number in _DEFAULTS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it was gone before the signal was asked for
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")  # when the machine is out of memory, this goes and we stay


def _run(start: Callable[[], None], tells: int) -> NoReturn:
    try:
        start()
        _leave(0)
    except SystemExit as leaving:
        code = leaving.code
        _leave(code if isinstance(code, int) else 0 if code is None else 1)
    except BaseException as error:
        _complain(tells, error)


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


def _complain(tells: int, error: BaseException) -> NoReturn:
    """Say why there is nothing to supervise, and leave as a shell would."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
    with contextlib.suppress(OSError):
        os.write(tells, words.encode(errors="replace")[:_MAX_WORDS])
    os._exit(127)
