"""What can go wrong with kernels, apart from the cells that they execute."""

from provenance.errors import ProvenoteError, UnavailableError


class KernelStartError(ProvenoteError):
    """Raised when a kernel does not start, or does not answer once it has."""

    code = "kernel"


class NoHostError(UnavailableError):
    """Raised when no kernel host can be started; a kernel can still be started by itself."""

    code = "kernel_host"
