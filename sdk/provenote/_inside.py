"""The first process of an attempt's own namespaces: it starts the attempt's code, and reaps.

When it ends, the kernel ends all others in there. It says by JSON lines what became of what it
started, and covers directories when it is asked to.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from provenote import _namespaces
from provenote._begin import begin, end_with_parent, hear_of_children, let_go

_FIRST = 1


@dataclass(frozen=True)
class Isolation:
    """How an attempt's code is set apart from the machine."""

    network: bool = True
    """Whether it has the machine's network."""
    cover: _namespaces.Cover | None = None
    """What it must not see; may also be said later."""

    @classmethod
    def read(cls, told: Mapping[str, Any] | None) -> Isolation | None:
        """Return the isolation of a message; None where it asks for none."""
        if told is None:
            return None
        cover = told.get("cover")
        return cls(told["network"], _namespaces.Cover.read_from(cover) if cover else None)


def be_first(
    start: Callable[[], None], upwards: socket.socket, tells: int, isolation: Isolation
) -> NoReturn:
    """Be the first process: *start* in a child, and stay until none is left."""
    try:
        _First(upwards).run(start, tells, isolation)
    except BaseException as error:
        words = str(error) if isinstance(error, OSError) else traceback.format_exc()
        _say(upwards, {"failed": words})
    finally:
        os._exit(1)


class _First:
    def __init__(self, upwards: socket.socket) -> None:
        self.upwards = upwards
        self.child = 0
        self.buffer = b""

    def run(self, start: Callable[[], None], tells: int, isolation: Isolation) -> None:
        end_with_parent()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        woken, wake = hear_of_children()
        _namespaces.settle(network=isolation.network)
        if isolation.cover is not None:
            _namespaces.cover(isolation.cover)
        self.child = os.fork()
        if self.child == 0:
            for end in (woken, wake):
                os.close(end)
            self.upwards.close()
            begin(_unprivileged(start), _FIRST, tells)
        let_go({self.upwards.fileno(), woken, wake})
        _say(self.upwards, {"started": self.child})
        sources: list[socket.socket | int] = [self.upwards, woken]
        while True:
            readable, _, _ = select.select(sources, [], [])
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            self._reap()
            if self.upwards in readable:
                self._hear()

    def _reap(self) -> None:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.child:
                    _say(self.upwards, {"ended": os.waitstatus_to_exitcode(ended[1])})
        except ChildProcessError:
            os._exit(0)

    def _hear(self) -> None:
        chunk = self.upwards.recv(65536)
        if not chunk:
            os._exit(0)  # nobody is above us any more
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        for line in lines:
            try:
                _namespaces.cover(_namespaces.Cover.read_from(json.loads(line)))
            except OSError as error:
                _say(self.upwards, {"uncovered": str(error)})
            else:
                _say(self.upwards, {"covered": True})


def _unprivileged(start: Callable[[], None]) -> Callable[[], None]:
    def begins() -> None:
        _namespaces.drop_privileges()
        start()

    return begins


def _say(upwards: socket.socket, told: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):
        upwards.sendall(json.dumps(told).encode() + b"\n")
