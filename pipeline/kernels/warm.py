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
    from pipeline.kernels.provisioner import WarmProvisioner

    kernel = pool.take(door)
    manager = PromptManager()
    own = {"kernel": kernel, "search": list(place.search), "log_file": place.log.name}
    manager._kernel_spec = spec = KernelSpec(display_name="provenote", language="python")
    # Not by its name in the kernelspec's metadata: that looks through all that is installed.
    told = own | place.containment
    manager.provisioner = WarmProvisioner(kernel_spec=spec, parent=manager, **told)
    try:
        yield manager
    finally:
        kernel.close()
