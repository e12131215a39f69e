"""The process above one attempt's code: it limits what is below it, and really ends it.

It is the subreaper of all that is started there and speaks JSON lines over a socket, which the
one who holds the other end uses as a lease: when that end closes, everything is killed.

In:  ``{"op": "start", "argv": [...], "env": {...}, "cwd": "...", "isolation": {...} | null}``
     (only `main`, and first; see `provenote._inside.Isolation`)
     ``{"op": "limits", "memory": bytes, "processes": n, "disk": bytes, "disk_root": "...",
     "open_files": n, "file_bytes": bytes}``, each may be missing or null; at any time
     ``{"op": "signal", "number": 2}`` to the process that was started, and its group
     ``{"op": "end", "interrupt": seconds, "terminate": seconds}``: SIGINT, SIGTERM and SIGKILL
     to the whole tree, with these seconds between them
     ``{"op": "cover", "hide": [...], "read": [...], "write": [...]}`` where it is isolated
Out: ``{"event": "started", "pid": n}``
     ``{"event": "failed", "message": "..."}`` where it could not start, or gave up by itself
     ``{"event": "exceeded", "limit": "memory" | "processes" | "disk", "used": n, "allowed": n}``,
     and all is killed
     ``{"event": "covered"}`` or ``{"event": "uncovered", "message": "..."}``
     ``{"event": "left", "status": n}``, as `subprocess` counts, when the process that was started
     has ended, before what it left is
     ``{"event": "ended", "status": n}``: the last line, when nothing is left below

It contains accidents, not enemies: what it watches runs as the same user and may kill it. Then
the kernel ends the process that was started, and what that one left is the affair of the
subreaper above this one. Where it is isolated, it sees nothing above itself: the supervisor
forks the first process of namespaces (`provenote._inside`), and that forks it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from provenote import _namespaces
from provenote._begin import begin, hear_of_children, let_go
from provenote._family import Family, end_all, send
from provenote._inside import Isolation, be_first
from provenote._watch import Exceeded, Limits, Watch, hold

_PR_SET_CHILD_SUBREAPER = 36
_LEFT_SECONDS = 1.0
"""What is still there when the process that was started has ended gets this long to end too."""
_LOOK_SECONDS = 0.02
_NEVER = float("inf")
_FAILED = 127
_MAX_WORDS = 4_000


def supervise(
    control: socket.socket, start: Callable[[], None], isolation: Isolation | None = None
) -> NoReturn:
    """Fork, let the child *start*, and stay above it until it and all it started have ended.

    Called in a process of one thread that was forked for this; it never returns. The child
    leads a session of its own, has Python's usual signal handlers, and ends with its
    supervisor. What *start* raises is told as "failed"; where it returns, the child leaves
    with status 0. With *isolation* it lives in namespaces of its own; where the kernel does not
    allow them, that is told as "failed".
    """
    try:
        _Supervisor(control).run(start, isolation)
    except BaseException as error:
        words = str(error) if isinstance(error, OSError) else traceback.format_exc()[-_MAX_WORDS:]
        _tell(control, {"event": "failed", "message": words})
        with contextlib.suppress(BaseException):
            end_all(Family(os.getpid()), _reap_all)
            _tell(control, {"event": "ended", "status": _FAILED})
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

    supervise(connection, become, Isolation.read(told.get("isolation")))


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
        self.all = Family(os.getpid())
        """All that is to be gone at the end."""
        self.family = self.all
        """The attempt's own processes: the first one of its namespaces is not among them."""
        self.watch = Watch(self.family, Limits())
        self.child = self.first = 0
        self.inside: socket.socket | None = None
        """Leads to the first process of the namespaces, if there are any."""
        self.status: int | None = None
        self.complaint = -1
        self.buffers: dict[socket.socket, bytes] = {}
        self.rungs: list[tuple[int, float]] = []
        """Signals that are still to be sent to all, and how long each may take to be heeded."""
        self.next_rung = _NEVER
        self.leaving = False
        self.alone = False
        """Whether nothing is left below: as it reaps all of it, that is certain."""

    def run(self, start: Callable[[], None], isolation: Isolation | None) -> None:
        """Start the child, serve until it has ended, and leave nothing below."""
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with contextlib.suppress(PermissionError):  # it leads one already
            os.setsid()
        woken = self._listen()
        if isolation is None:
            self._start(start)
        else:
            self._start_inside(start, isolation)
        self.control.setblocking(False)
        sources: list[socket.socket | int] = [self.control, woken]
        if self.inside is not None:
            sources.append(self.inside)
        while not self._over():
            readable, _, _ = select.select(sources, [], [], self._pause())
            if woken in readable:
                os.read(woken, 4096)
            if self.control in readable:
                for told in self._read(self.control):
                    self._obey(told)
            self._hear_inside()
            self._reap()
            self._climb()
            self._look()
        self._finish()

    def _listen(self) -> int:
        """Hear of children that end, and of a wish that this ends; the terminal's is not ours."""
        self.pipe = hear_of_children()
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        return self.pipe[0]

    def _leave(self, *_: object) -> None:
        self.leaving = True

    def _start(self, start: Callable[[], None]) -> None:
        supervisor = os.getpid()
        self.complaint, tells = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            self._close_ours()
            begin(start, supervisor, tells)
        let_go({self.control.fileno(), self.complaint, *self.pipe})
        self._tell({"event": "started", "pid": self.child})

    def _start_inside(self, start: Callable[[], None], isolation: Isolation) -> None:
        self.complaint, tells = os.pipe()
        self.inside, upwards = socket.socketpair()
        _namespaces.leave_user()
        self.first = os.fork()
        if self.first == 0:
            self._close_ours()
            self.inside.close()
            be_first(start, upwards, tells, isolation)
        self.family = Family(self.first)
        self.watch = Watch(self.family, Limits())
        self.inside.setblocking(False)
        let_go({self.control.fileno(), self.complaint, self.inside.fileno(), *self.pipe})

    def _close_ours(self) -> None:
        self.control.close()
        for end in (*self.pipe, self.complaint):
            os.close(end)

    def _hear_inside(self) -> None:
        """Hear what the first process of the namespaces says: in there, pids are others."""
        if self.inside is None:
            return
        for told in self._read(self.inside):
            match told:
                case {"started": _}:
                    self.child = next((p.pid for p in self.family.surely()), 0)
                    self._hold()  # limits that came before it was forked
                    self._tell({"event": "started", "pid": self.child})
                case {"ended": status}:
                    self.status = status
                    self._tell({"event": "left", "status": status})
                case {"failed": message}:
                    self._tell({"event": "failed", "message": message})
                case {"covered": _}:
                    self._tell({"event": "covered"})
                case {"uncovered": message}:
                    self._tell({"event": "uncovered", "message": message})

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

    def _read(self, source: socket.socket) -> list[Mapping[str, Any]]:
        try:
            chunk = source.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk and source is self.control:
            self.leaving = True  # whoever asked for this is gone
        *lines, self.buffers[source] = (self.buffers.get(source, b"") + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def _obey(self, told: Mapping[str, Any]) -> None:
        match told["op"]:
            case "limits":
                self._limit(Limits.read(told))
            case "signal" if self.status is None and self.child:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.child, int(told["number"]))
            case "end":
                graces = (signal.SIGINT, told["interrupt"]), (signal.SIGTERM, told["terminate"])
                self.rungs = [(number, grace) for number, grace in graces if grace > 0]
                self.next_rung = 0.0
            case "cover":
                self._cover(told)

    def _cover(self, told: Mapping[str, Any]) -> None:
        if self.inside is None:
            self._tell({"event": "uncovered", "message": "it is not isolated"})
        else:
            self.inside.sendall(json.dumps(told).encode() + b"\n")

    def _limit(self, limits: Limits) -> None:
        """Hold what runs already to *limits*, and with it all that it will start."""
        self.watch = Watch(self.family, limits)
        self._hold()

    def _hold(self) -> None:
        """Apply the limits that are inherited; again where something was forked meanwhile."""
        known: set[int] = set()
        while new := [p for p in self.all.surely() if p.pid not in known]:
            hold(new, self.watch.limits)
            known |= {process.pid for process in new}

    def _reap(self) -> bool:
        """Take the status of those that ended; tell whether there are others."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == (self.first or self.child) and self.status is None:
                    self._hear_inside()  # it may have said, before it ended, how its child did
                if ended[0] == (self.first or self.child) and self.status is None:
                    self.status = os.waitstatus_to_exitcode(ended[1])
                    self._tell({"event": "left", "status": self.status})
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
            end_all(self.all, self._reap)
            self._tell({"event": "exceeded", **vars(exceeded)})

    def _finish(self) -> None:
        end_all(self.all, self._reap)
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
