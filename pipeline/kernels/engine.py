"""The papermill engine that executes in a kernel of ours and tells of each cell as it ends."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.printing import Printing

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbformat import NotebookNode

NAME = "provenote"
_LOOK_SECONDS = 0.1
_OUTPUT_SECONDS = 60
"""How long what a cell has printed may take to come in; nbclient gives up too soon."""
_LAUNCHER = "ipykernel_launcher"
_PLAIN = frozenset({"-P", "-Xfrozen_modules=off", "-m", _LAUNCHER, "-f", "{connection_file}"})
"""What a kernelspec may start its interpreter with for a fork to be the same."""
MAX_OUTPUT_CHARACTERS = 100_000_000
_CUT = "provenote_cut"
"""Marks what the kernel itself has cut (`provenote._output`)."""
_OUTPUTS = frozenset({"stream", "display_data", "execute_result", "update_display_data"})


@dataclass
class Watch:
    """Follows one execution: hears of each cell, and holds the notebook as it stands."""

    on_start: Callable[[int, "NotebookNode"], None]
    on_end: Callable[[int, "NotebookNode", float], None]
    printing: Printing
    """Passes on what a cell prints while it runs."""
    notebook: "NotebookNode | None" = None
    current: int = 0
    most: int = MAX_OUTPUT_CHARACTERS
    """How many characters the cells may give."""
    cut: bool = False
    """Whether the cells gave more than a notebook may hold."""
    _size: int = 0
    _started: dict[int, float] = field(default_factory=dict)

    def cell_starts(self, cell: "NotebookNode", cell_index: int) -> None:
        """Note when the cell began."""
        self.current = cell_index
        self._started[cell_index] = time.monotonic()
        self.on_start(cell_index, cell)

    def takes(self, message: dict[str, Any]) -> bool:
        """Tell whether what a cell gives still fits; what does not is let go by."""
        content = message.get("content", {})
        if content.get(_CUT) and not self.cut:
            self.cut = True
            return True  # it says so itself
        self._size += len(content.get("text", ""))
        self._size += sum(len(str(data)) for data in content.get("data", {}).values())
        self.cut = self.cut or self._size > self.most
        if message["msg_type"] == "stream" and not self.cut:
            self.printing.take(self.current, content.get("text", ""))
        return not self.cut or message["msg_type"] not in _OUTPUTS

    def cell_ended(self, cell: "NotebookNode", cell_index: int, **_: Any) -> None:
        """Tell how long the cell took."""
        self.printing.forget()
        self.on_end(cell_index, cell, time.monotonic() - self._started[cell_index])


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """Papermill's client, which keeps no more output than a notebook may hold."""

    def __init__(self, *arguments: Any, watch: Watch, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._watch = watch

    async def _async_poll_kernel_alive(self) -> None:
        """Notice soon that the kernel has died; nbclient looks once a second."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._async_check_alive()
            except DeadKernelError:
                if self.task_poll_for_reply is not None:
                    self.task_poll_for_reply.cancel()
                return

    async def _async_handle_timeout(self, timeout: int, cell: "NotebookNode | None" = None) -> Any:
        """Raise CellTimeoutError; nbclient knows no time-out of what comes after the last cell."""
        if cell is None:
            raise CellTimeoutError(f"The kernel did not answer within {timeout} s.")
        return await super()._async_handle_timeout(timeout, cell)

    def set_widgets_metadata(self) -> None:
        """Note the state of widgets, the last thing that is done while the kernel is needed."""
        super().set_widgets_metadata()
        self.km.is_idle = True  # it has answered all that it was asked

    def process_message(self, msg: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Take one message of the kernel, unless it is output that no longer fits."""
        if not self._watch.takes(msg):
            return None
        return super().process_message(msg, *arguments, **options)


class ProvenoteEngine(Engine):  # type: ignore[misc]  # papermill has no types
    """Executes in a kernel that was forked beforehand, where that can be; by papermill's rules."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        manager: "AsyncKernelManager | None" = None,
        start: Mapping[str, Any] | None = None,
        watch: Watch | None = None,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        **options: Any,
    ) -> None:
        """Execute the notebook of *nb_man*; *start* goes to the kernel's launch.

        Left out, the *manager* is one for the kernelspec *kernel_name*; *watch* hears of each
        cell. The other options are those of papermill's own engine.
        """
        watch = watch or Watch(_nothing, _nothing, Printing(_nothing))
        watch.notebook = nb_man.nb
        options = remove_args(["input_path"], **options)
        told = merge_kwargs(
            remove_args(["timeout", "startup_timeout"], **options),
            kernel_name=kernel_name,
            timeout=execution_timeout or options.get("timeout"),
            startup_timeout=start_timeout,
            iopub_timeout=_OUTPUT_SECONDS,
            log=logger,
            on_cell_execute=watch.cell_starts,
            on_cell_executed=watch.cell_ended,
        )
        client = _Client(nb_man, watch=watch, km=manager or kernel_of(kernel_name), **told)
        client.owns_km = True  # ends the kernel and its channels with the execution
        client.execute(**(start or {}))


def _nothing(*_: Any) -> None:
    """Hear of a cell, and let it go by."""


def kernel_of(name: str) -> "AsyncKernelManager":
    """Return a manager for the kernelspec *name*: of the user's host, where its Python has one.

    Raises jupyter_client's NoSuchKernel where there is no such kernelspec.
    """
    from pipeline.kernels.manager import PromptManager
    from pipeline.kernels.shared import shared_door
    from pipeline.kernels.warm import PROVISIONER

    manager = PromptManager(kernel_name=name)
    spec = manager.kernel_spec
    assert spec is not None  # noqa: S101 - else it has raised NoSuchKernel
    is_plain = _LAUNCHER in spec.argv and _PLAIN.issuperset(spec.argv[1:])
    if "kernel_provisioner" in spec.metadata or not is_plain:
        return manager
    try:
        shared_door(Path(manager.format_kernel_cmd()[0]))
    except KernelStartError as error:
        logger.warning("The kernel is started afresh: %s", error.message)
    else:
        spec.metadata["kernel_provisioner"] = {"provisioner_name": PROVISIONER}
    return manager
