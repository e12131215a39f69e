"""The provisioner ``provenote-warm``: gives jupyter_client kernels that were forked beforehand.

A kernelspec names it in its metadata, or a manager is given it by `pipeline.kernels.manager`. Where
no host is named, one that is shared by all processes of the user serves, and ends when it is idle.
"""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from jupyter_client.session import Session
from traitlets import Instance, List, Unicode

from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.shared import shared_door
from pipeline.kernels.waiting import WaitingKernel, ask

_READY_SECONDS = 60.0
_BEGIN = "__import__('provenote._kernel', fromlist=['begin']).begin({path!r})"


class WarmProvisioner(KernelProvisionerBase):
    """Takes a waiting kernel of a host, and lets it begin the run that it is asked for."""

    search = List(Unicode(), help="What goes to the front of sys.path.").tag(config=True)
    preload = List(Unicode(), help="What the user's host has imported beforehand.")
    log_file = Unicode(help="Takes what the process prints past the kernel's streams.")
    kernel = Instance(WaitingKernel, allow_none=True, help="Left out: one of the user's host.")

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel that has not been seen to end."""
        return self.kernel is not None

    async def poll(self) -> int | None:
        """Return None while the kernel lives, then its exit status."""
        return 0 if self.kernel is None else self.kernel.held.poll()

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.002)
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None
        return status

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel."""
        if self.kernel is not None:
            self.kernel.held.signal(signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's
        """End the kernel and everything that it has started, at once."""
        if self.kernel is not None:
            self.kernel.held.end(interrupt=0, terminate=0)

    async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's
        """Ask the kernel to terminate."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's
        """Let go of what is left."""
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Take a kernel; the manager learns its address."""
        kwargs.pop("extra_arguments", None)
        kwargs.pop("transport_encryption", None)
        if self.kernel is None:
            self.kernel = ask(shared_door(Path(self.kernel_spec.argv[0]), self.preload))
        assert self.parent is not None  # noqa: S101 - a manager made this
        self.parent.load_connection_file(str(self.kernel.connection_file))
        self.connection_info = self.parent.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:  # noqa: ARG002
        """Let the kernel begin the run: its environment, its directory, its imports."""
        kernel = self.kernel
        assert kernel is not None  # noqa: S101 - pre_launch took it
        asked = {
            "environment": kwargs.get("env") or {},
            "directory": str(kwargs.get("cwd") or Path.cwd()),
            "search": list(self.search),
            "log": str(self.log_file),
        }
        path = kernel.directory / "begin.json"
        path.write_text(json.dumps(asked), encoding="utf-8")
        await self._until_it_listens(kernel)
        await self._told_to_begin(_BEGIN.format(path=str(path)))
        return self.connection_info

    async def _until_it_listens(self, kernel: WaitingKernel) -> None:
        until = time.monotonic() + _READY_SECONDS
        while not kernel.listens:
            if kernel.held.poll() is not None or time.monotonic() > until:
                raise KernelStartError(f"The kernel did not start. {_tail(kernel.log)}".strip())
            await asyncio.sleep(0.002)

    async def _told_to_begin(self, code: str) -> None:
        """Execute *code* silently, over a connection of its own, before anybody else's."""
        manager = self.parent
        assert manager is not None  # noqa: S101 - a manager made this
        session = Session(key=manager.session.key)
        context = zmq.asyncio.Context()
        shell = context.socket(zmq.DEALER)
        try:
            shell.connect(manager._make_url("shell"))
            asked = {"code": code, "silent": True, "store_history": False, "allow_stdin": False}
            session.send(shell, "execute_request", {**asked, "user_expressions": {}})
            parts = await asyncio.wait_for(shell.recv_multipart(), _READY_SECONDS)
            reply = session.deserialize(session.feed_identities(parts)[1])["content"]
        finally:
            context.destroy(linger=0)
        if reply["status"] != "ok":
            raise KernelStartError(f"The kernel cannot begin: {reply.get('evalue')}.")


def _tail(log: Path) -> str:
    try:
        return log.read_text(errors="replace")[-2000:]
    except OSError:
        return ""
