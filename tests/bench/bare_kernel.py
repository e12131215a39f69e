"""Cells in a kernel that runs already: what they cost with nothing around them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

_CELL_SECONDS = 120.0


class BareKernel:
    """A kernel with a client, which keep no outputs and write nothing."""

    def __init__(self, client: "BlockingKernelClient") -> None:
        self._client = client

    def execute(self, sources: Sequence[str]) -> float:
        """Execute *sources* one after the other, and return the seconds that it took."""
        began = time.perf_counter()
        for source in sources:
            # The outputs are waited for as well: a reader of the notebook wants them.
            reply = self._client.execute_interactive(
                source, output_hook=lambda _: None, timeout=_CELL_SECONDS
            )
            if reply["content"]["status"] != "ok":
                raise SystemExit(f"A cell failed in the bare kernel: {reply['content']}")
        return time.perf_counter() - began


@contextmanager
def bare_kernel(python: Path, folder: Path) -> Iterator[BareKernel]:
    """Give a kernel of the interpreter *python* whose sockets lie in *folder*."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    folder.chmod(0o700)
    manager = KernelManager(transport="ipc", ip=str(folder / "k"))
    manager.connection_file = str(folder / "connection.json")
    argv = [str(python), "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(argv=argv, display_name="bench", language="python")
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield BareKernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
