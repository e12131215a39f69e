"""Who carries out runs that a command waits for: a runner and kernel hosts of its own."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from app.cli.ahead import Ahead
from app.cli.output import say
from pipeline.attempt import Worker
from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Event, Runner


@dataclass(frozen=True)
class Hands:
    """What a command executes with; it ends with the command."""

    installation: Installation
    lease: float
    runner: Runner
    hosts: KernelHosts
    called_off: threading.Event
    """Set by the first Ctrl-C or SIGTERM: the run at hand then ends as cancelled."""

    def worker(self, listener: Callable[[Event], None]) -> Worker:
        """Return the worker whose progress *listener* hears."""
        never = threading.Event()
        return Worker(
            self.installation,
            self.runner,
            self.lease,
            never,
            listener,
            called_off=self.called_off,
            hosts=self.hosts,
        )


@contextmanager
def hands(installation: Installation, lease: float, ahead: Ahead) -> Iterator[Hands]:
    """Give hands for runs of this command, with what was started *ahead*."""
    with calling_off() as called_off:
        yield Hands(installation, lease, ahead.runner, ahead.hosts, called_off)


@contextmanager
def calling_off() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C or SIGTERM sets: the run at hand ends as cancelled.

    What it has finished is kept and shown. The second one interrupts at once. A process that
    was started to ignore one of them goes on ignoring it.
    """
    called_off = threading.Event()
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    heard = {number: does for number, does in usual.items() if signal.getsignal(number) is does}

    def call_off(_signal: int, _frame: FrameType | None) -> None:
        called_off.set()
        restore()
        if not sys.stderr.isatty():  # there the bar says it
            say("Stopping; Ctrl-C again stops at once.", err=True)

    def restore() -> None:
        for number, does in heard.items():
            signal.signal(number, does)

    for number in heard:
        signal.signal(number, call_off)
    try:
        yield called_off
    finally:
        restore()
