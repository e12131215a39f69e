"""The manager of a kernel, and its client: jupyter_client's, without their fixed waits."""

import time
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

_QUICK = 0.005


class PromptClient(AsyncKernelClient):
    """A client that is ready as soon as the kernel has answered on both of its channels."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered, and nothing older is on its way.

        jupyter_client waits for a silence of 0.2 seconds on the output channel. A request of
        ours that has gone through to its idle state says the same: what came before it has
        been read by then.
        """
        until = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while True:
            asked = self.kernel_info()
            try:
                reply = await self._async_recv_reply(asked, timeout=1)
                await self._until_idle(asked)
            except (TimeoutError, Empty):
                if not await self._async_is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
                if time.monotonic() > until:
                    raise RuntimeError(f"Kernel didn't respond in {timeout} seconds") from None
                continue
            self._handle_kernel_info_reply(reply)
            return

    wait_for_ready = _async_wait_for_ready

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = True,
        hb: bool = False,
        control: bool = True,
    ) -> None:
        """Start the channels; without the heartbeat's, since the manager knows who lives."""
        super().start_channels(shell, iopub, stdin, hb, control)

    async def _until_idle(self, asked: str) -> None:
        """Read what the kernel puts out, until it is idle after the request *asked*.

        Raises Empty where nothing comes: the output channel was not connected yet.
        """
        while True:
            message = await self.iopub_channel.get_msg(timeout=0.2)
            if (
                message["parent_header"].get("msg_id") == asked
                and message["msg_type"] == "status"
                and message["content"]["execution_state"] == "idle"
            ):
                return


class PromptManager(AsyncKernelManager):
    """A manager that sees at once that its kernel has ended."""

    client_class = f"{__name__}.{PromptClient.__name__}"
    client_factory = PromptClient
    is_idle = False
    """Whether the kernel has done all that it was asked for; set by whoever executes cells."""

    async def _async_interrupt_kernel(self) -> None:
        """Interrupt the kernel; not one that is idle and only to end.

        jupyter_client does so before it asks for the end. ipykernel may not ignore interrupts
        yet after its last reply; one that hits it in its own loop, it does not survive in order.
        """
        if not (self.is_idle and self.shutting_down):
            await super()._async_interrupt_kernel()

    interrupt_kernel = _async_interrupt_kernel

    async def _async_request_shutdown(self, restart: bool = False) -> None:
        """Ask the kernel to end, by the shortest way that it hears."""
        let_leave = getattr(self.provisioner, "let_leave", None)
        if restart or let_leave is None or not let_leave():
            await super()._async_request_shutdown(restart)

    request_shutdown = _async_request_shutdown

    async def _async_finish_shutdown(
        self, waittime: float | None = None, pollinterval: float = _QUICK, restart: bool = False
    ) -> None:
        await super()._async_finish_shutdown(waittime, min(pollinterval, _QUICK), restart)

    finish_shutdown = _async_finish_shutdown
