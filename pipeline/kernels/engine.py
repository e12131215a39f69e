"""The papermill engine that executes in a kernel of ours and tells of each cell as it ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines

from pipeline.kernels.printing import Printing

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbformat import NotebookNode

NAME = "provenote"
MAX_OUTPUT_CHARACTERS = 100_000_000
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
        self._size += len(content.get("text", ""))
        self._size += sum(len(str(data)) for data in content.get("data", {}).values())
        self.cut = self.cut or self._size > MAX_OUTPUT_CHARACTERS
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

    def process_message(self, msg: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Take one message of the kernel, unless it is output that no longer fits."""
        if not self._watch.takes(msg):
            return None
        return super().process_message(msg, *arguments, **options)


class ProvenoteEngine(Engine):  # type: ignore[misc]  # papermill has no types
    """Executes in the kernel that it is given, and writes nothing to disk meanwhile."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        manager: "AsyncKernelManager",
        start: dict[str, Any],
        watch: Watch,
        cell_seconds: float,
        start_timeout: float = 60,
        **_: Any,
    ) -> None:
        """Execute the notebook of *nb_man*; *start* goes to the kernel's launch."""
        watch.notebook = nb_man.nb
        client = _Client(
            nb_man,
            watch=watch,
            km=manager,
            kernel_name=kernel_name,
            timeout=cell_seconds,
            startup_timeout=start_timeout,
            allow_errors=False,
            on_cell_execute=watch.cell_starts,
            on_cell_executed=watch.cell_ended,
        )
        client.owns_km = True  # ends the kernel and its channels with the execution
        client.execute(**start)


papermill_engines.register(NAME, ProvenoteEngine)
