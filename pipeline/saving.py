"""An executed notebook as far as it has come, written as the cells go by, and told of."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cells import cell_event, title_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from pipeline.kernels.engine import Watch

_PAUSE_SECONDS = 0.25
_SHARE = 20
"""At most this part of the time goes into writing, however large a notebook becomes."""
Emit = Callable[[dict[str, Any]], None]
_open: set["Saver"] = set()


def save_what_is_open() -> None:
    """Write what was not written yet, as far as that can be; for a process that has to end now."""
    for saver in list(_open):
        # Cells may be changed by another thread meanwhile: then what was written before stays.
        with contextlib.suppress(Exception):
            saver.save()


class Saver:
    """Tells of each cell as it starts and ends, and writes the notebook soon after.

    Not at once after each cell: a hundred short ones would be written a hundred times. And not
    so that it survives a loss of power: the run would be made again then.
    """

    def __init__(self, path: Path, emit: Emit) -> None:
        self.path = path
        self.emit = emit
        self.watch: Watch | None = None
        self._pause = _PAUSE_SECONDS
        self._saved = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    @property
    def _notebook(self) -> "NotebookNode":
        assert self.watch is not None and self.watch.notebook is not None  # noqa: S101, PT018
        return self.watch.notebook

    def cell_started(self, index: int, cell: "NotebookNode") -> None:
        """Say which cell is at work."""
        del cell
        total, title = len(self._notebook.cells), title_of(self._notebook, index)
        self.emit({"event": "doing", "index": index, "total": total, "title": title})

    def cell_prints(self, index: int, text: str) -> None:
        """Say what the cell at work has printed just now."""
        self.emit({"event": "log", "text": text, "cell": index})

    def cell_ended(self, index: int, cell: "NotebookNode", seconds: float) -> None:
        """Say what the cell gave; called within an event loop, that of the execution."""
        del cell
        self.emit(cell_event(self._notebook, index, seconds))
        _open.add(self)
        if self._timer is None:
            pause = max(0.0, self._saved + self._pause - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(pause, self._save)

    def _save(self) -> None:
        self._timer, began = None, time.monotonic()
        self.save()
        self._saved = time.monotonic()
        self._pause = max(_PAUSE_SECONDS, _SHARE * (self._saved - began))

    def save(self) -> None:
        """Write the notebook, with nothing in it that tells of this machine."""
        from nbformat.v4 import writes
        from papermill.execute import remove_error_markers

        notebook = self._notebook
        told = notebook.metadata.get("papermill", {})
        for name in ("input_path", "output_path", "environment_variables"):
            told.pop(name, None)
        told["parameters"] = json.loads(json.dumps(told.get("parameters", {}), default=str))
        # The thread that ends the process may write too, while another does.
        temporary = self.path.with_suffix(f".{threading.get_ident()}.part")
        temporary.write_text(writes(remove_error_markers(notebook)), encoding="utf-8")
        temporary.replace(self.path)
        _open.discard(self)
