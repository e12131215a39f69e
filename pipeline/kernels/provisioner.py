"""Provisioners of jupyter_client: kernels below a supervisor, forked beforehand or started afresh.

``provenote-warm`` takes a kernel that a host has forked. A kernelspec names it in its metadata, or
a manager is given it by `pipeline.kernels.warm`; where no kernel is given, one is asked of a host
that all processes of the user share. ``provenote-cold`` starts the kernelspec's command.
"""

import asyncio
import json
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Instance, List, Unicode

from pipeline.containment import (
    AT_WORK,
    ENDED_SECONDS,
    Cover,
    Isolation,
    NotCoveredError,
    Program,
    Supervised,
    SupervisedProcess,
    TreeLimits,
)
from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.shared import shared_door
from pipeline.kernels.waiting import WaitingKernel, ask

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.002


class HeldProvisioner(KernelProvisionerBase):
    """What is the same for every kernel that a supervisor holds."""

    limits = Instance(TreeLimits, (), help="What the kernel may use, with all it starts.")
    isolation = Instance(Isolation, allow_none=True, help="How it is set apart, if it is.")

    held: Supervised | None = None
    """The kernel's supervisor; still known when the kernel has ended."""
    _is_over = False

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel whose end nobody has waited for."""
        return self.held is not None and not self._is_over

    async def poll(self) -> int | None:
        """Return None while the kernel lives, then its exit status.

        What it has started may live a moment longer: until `cleanup`, at the latest.
        """
        if self.held is None:
            return 0
        status = self.held.poll()
        return self.held.left if status is None else status

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        while (status := await self.poll()) is None:
            await asyncio.sleep(_LOOK_SECONDS)
        await self.cleanup()
        return status

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and its group."""
        if self.held is not None:
            self.held.signal(signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's
        """End the kernel and everything that it has started, at once."""
        if self.held is not None:
            self.held.end(interrupt=0, terminate=0)

    async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's
        """Ask the kernel to terminate."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's
        """Let go of the supervisor; what is left below it is killed."""
        if self.held is not None and not self._is_over:
            self._is_over = True
            if self.held.left is not None:  # why it has ended is said when all of it has
                self.held.end(interrupt=0, terminate=0)
                self.held.wait(ENDED_SECONDS)
            self.held.close()


class ColdProvisioner(HeldProvisioner, LocalProvisioner):
    """Starts a kernel's command below a supervisor of its own."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; what it prints goes to ``stdout``."""
        environment = {name: str(value) for name, value in kwargs["env"].items()}
        directory = Path(kwargs.get("cwd") or Path.cwd())
        program = Program(cmd, directory, environment, self.limits, self.isolation)
        self._is_over = False
        self.held = SupervisedProcess(program, kwargs.get("stdout") or subprocess.DEVNULL)
        return self.connection_info


class WarmProvisioner(HeldProvisioner):
    """Takes a waiting kernel of a host, and lets it begin the run that it is asked for."""

    search = List(Unicode(), help="What goes to the front of sys.path.").tag(config=True)
    preload = List(Unicode(), help="What the user's host has imported beforehand.")
    log_file = Unicode(help="Takes what the process prints past the kernel's streams.")
    kernel = Instance(WaitingKernel, allow_none=True, help="Left out: one of the user's host.")
    _begun: socket.socket | None = None
    """Open from the run's beginning to its end, which the kernel takes from its closing."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Take the kernel; the manager learns its address."""
        kwargs.pop("extra_arguments", None)
        kwargs.pop("transport_encryption", None)
        assert self.parent is not None  # noqa: S101 - a manager made this
        if self.kernel is None or self.kernel.held is self.held:  # that one is used up
            python = Path(self.parent.format_kernel_cmd()[0])  # "python" may be ours
            self.kernel = ask(shared_door(python, self.preload))
            if "-P" not in self.kernel_spec.argv and "" not in self.search:
                self.search = ["", *self.search]  # then cells import from where they are
        self.held, self._is_over = self.kernel.held, False
        # Named, or the manager would write another one where all temporary files are.
        self.parent.connection_file = str(self.kernel.connection_file)
        try:
            self.parent.load_connection_file()
        except FileNotFoundError as error:  # its host clears its directory when it has ended
            raise _not_started(self.kernel) from error
        self.connection_info = self.parent.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:  # noqa: ARG002
        """Let the kernel begin the run: its limits, environment, directory, imports."""
        kernel = self.kernel
        assert kernel is not None  # noqa: S101 - pre_launch took it
        asked = {
            "environment": kwargs.get("env") or {},
            "directory": str(kwargs.get("cwd") or Path.cwd()),
            "search": list(self.search),
            "log": str(self.log_file),
        }
        await self._until_it_listens(kernel)
        AT_WORK.add(kernel.held)
        if self.isolation is not None and self.isolation.cover is not None:
            try:
                kernel.held.cover(_with_sockets(self.isolation.cover, kernel))
            except NotCoveredError as error:
                raise KernelStartError(error.message) from error
        kernel.held.limit(self.limits)
        self._begun = await _told_to_begin(kernel, asked)
        return self.connection_info

    def let_leave(self) -> bool:
        """Ask the kernel to end as after a request of Jupyter's, but sooner; False: it cannot hear.

        One that executes a cell hears it afterwards.
        """
        begun, self._begun = self._begun, None
        if begun is None:
            return False
        begun.close()
        return True

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the supervisor; what is left below it is killed."""
        self.let_leave()
        await super().cleanup(restart)

    async def _until_it_listens(self, kernel: WaitingKernel) -> None:
        until = time.monotonic() + _READY_SECONDS
        while not kernel.listens:
            if kernel.held.poll() is not None or time.monotonic() > until:
                raise _not_started(kernel)
            await asyncio.sleep(_LOOK_SECONDS)


def _not_started(kernel: WaitingKernel) -> KernelStartError:
    told = f"{kernel.held.complaint or ''} {_tail(kernel.log)}".strip()
    return KernelStartError(f"The kernel did not start. {told}".strip())


def _with_sockets(cover: Cover, kernel: WaitingKernel) -> Cover:
    """Let a kernel see its own directory, and of those of others nothing."""
    return replace(cover, write=(*cover.write, str(kernel.directory)))


async def _told_to_begin(kernel: WaitingKernel, asked: Mapping[str, Any]) -> socket.socket:
    """Let *kernel* begin the run that *asked* describes; it has when this returns."""
    loop, told = asyncio.get_running_loop(), socket.socket(socket.AF_UNIX)
    try:
        told.setblocking(False)
        async with asyncio.timeout(_READY_SECONDS):
            await loop.sock_connect(told, str(kernel.told))
            await loop.sock_sendall(told, json.dumps(asked).encode() + b"\n")
            reply = await _line(told)
        if "error" in reply:
            raise KernelStartError(f"The kernel cannot begin: {reply['error']}.")
    except (OSError, TimeoutError) as error:
        told.close()
        raise KernelStartError(f"The kernel does not answer: {error}.") from error
    except BaseException:
        told.close()
        raise
    return told


async def _line(told: socket.socket) -> dict[str, Any]:
    line, loop = b"", asyncio.get_running_loop()
    while not line.endswith(b"\n"):
        piece = await loop.sock_recv(told, 65536)
        if not piece:
            return {"error": "it has ended"}
        line += piece
    reply: dict[str, Any] = json.loads(line)
    return reply


def _tail(log: Path) -> str:
    try:
        return log.read_text(errors="replace")[-2000:]
    except OSError:
        return ""
