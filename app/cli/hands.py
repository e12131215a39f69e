"""Who carries out runs that a command waits for: a runner and kernel hosts of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.work.owner import owner_name
from pipeline.attempt import Worker
from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts, hosts_marker
from pipeline.runner.client import Event, Runner


@dataclass(frozen=True)
class Hands:
    """What a command executes with; it ends with the command."""

    installation: Installation
    lease: float
    runner: Runner
    hosts: KernelHosts

    def worker(self, listener: Callable[[Event], None]) -> Worker:
        """Return the worker whose progress *listener* hears."""
        never = threading.Event()
        return Worker(self.installation, self.runner, self.lease, never, listener, self.hosts)


@contextmanager
def hands(installation: Installation, lease: float) -> Iterator[Hands]:
    """Give hands for runs of this command, and end afterwards whatever they have started."""
    runner, hosts = Runner(), KernelHosts(hosts_marker(installation.home, owner_name()))
    try:
        yield Hands(installation, lease, runner, hosts)
    finally:
        runner.stop()
        hosts.stop()
