"""What can go wrong with kernels, apart from the cells that they execute."""

from provenance.errors import ProvenoteError


class KernelStartError(ProvenoteError):
    """Raised when a kernel does not start, or does not answer once it has."""

    code = "kernel"
