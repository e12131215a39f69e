"""A kernel that is started for one run: in the project's environment, or by a kernelspec."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.containment import UNLIMITED, Isolation, TreeLimits
from pipeline.workplace import make_sockets_root

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager


@dataclass(frozen=True)
class KernelPlace:
    """In which environment, where, and with what a kernel runs."""

    venv: Path
    directory: Path
    environment: Mapping[str, str]
    search: Sequence[str]
    """Directories that go to the front of ``sys.path``, once the kernel has started."""
    sockets: Path
    """Where its sockets go; the directory is made for it and removed after it."""
    log: BinaryIO
    """Takes what the kernel process itself prints, outside of any cell."""
    kernel: Mapping[str, Any] | None = None
    """The kernel of another language, a KernelJob; None: Python, in the environment."""

    limits: TreeLimits = UNLIMITED
    isolation: Isolation | None = None

    @property
    def containment(self) -> dict[str, object]:
        """What its provisioner is told of how it is contained."""
        return {"limits": self.limits, "isolation": self.isolation}

    @property
    def start(self) -> dict[str, object]:
        """What a kernel's launch is given."""
        where = {"cwd": str(self.directory), "env": dict(self.environment)}
        return {**where, "stdout": self.log}


@contextmanager
def cold_kernel(place: KernelPlace) -> Iterator["AsyncKernelManager"]:
    """Give the manager of a kernel for *place*; it is started by whoever executes cells.

    Messages go over unix sockets in a directory that only we may enter: a port on the
    loopback interface could be read by every user of the machine.
    """
    from pipeline.kernels.manager import PromptManager
    from pipeline.kernels.provisioner import ColdProvisioner

    sockets = place.sockets
    make_sockets_root()
    sockets.mkdir(mode=0o700)
    manager = PromptManager(transport="ipc", ip=str(sockets / "k"))
    manager.connection_file = str(sockets / "connection.json")
    manager._kernel_spec = spec = _spec(place)
    manager.provisioner = ColdProvisioner(kernel_spec=spec, parent=manager, **place.containment)
    try:
        yield manager
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _spec(place: KernelPlace) -> "KernelSpec":
    from jupyter_client.kernelspec import KernelSpec

    if place.kernel is not None:
        told = {name: place.kernel[name] for name in ("language", "env", "interrupt_mode")}
        argv, name = list(place.kernel["argv"]), place.kernel["name"]
        return KernelSpec(argv=argv, display_name=name, resource_dir=place.kernel["folder"], **told)
    argv = [
        str(place.venv / "bin" / "python"),
        "-P",
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        f"--IPKernelApp.exec_lines={_search_line(place.search)}",
    ]
    return KernelSpec(argv=argv, display_name="provenote", language="python")


def _search_line(search: Sequence[str]) -> str:
    """Return the line that lets cells import from *search*.

    It runs after the kernel's own imports: a module of the project that is called like one
    of the standard library's must not keep the kernel from starting.
    """
    path = f"import sys; sys.path[:0] = {list(search)!r}; del sys"
    return f"{path}; from provenote import _observe; _observe.start_from_context(); del _observe"
