"""A kernel that was forked beforehand, for one run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.kernels.cold import KernelPlace
from pipeline.kernels.waiting import Pool

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

PROVISIONER = "provenote-warm"


@contextmanager
def warm_kernel(door: Path, pool: Pool, place: KernelPlace) -> Iterator["AsyncKernelManager"]:
    """Give the manager of a kernel of the host at *door*; it begins when cells are executed.

    Raises KernelStartError where the host does not answer.
    """
    from jupyter_client.kernelspec import KernelSpec

    from pipeline.kernels.manager import PromptManager

    kernel = pool.take(door)
    manager = PromptManager()
    own = {"kernel": kernel, "search": list(place.search), "log_file": place.log.name}
    config = own | place.containment
    metadata = {"kernel_provisioner": {"provisioner_name": PROVISIONER, "config": config}}
    spec = KernelSpec(argv=[], display_name="provenote", language="python", metadata=metadata)
    manager._kernel_spec = spec
    try:
        yield manager
    finally:
        kernel.close()
