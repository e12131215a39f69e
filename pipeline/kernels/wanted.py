"""Which kernel host a run wants its kernel from."""

from dataclasses import dataclass
from pathlib import Path

WARM, COLD = "warm", "cold"
"""How a kernel came to be: forked beforehand by a host, or started for its run."""


@dataclass(frozen=True)
class HostWanted:
    """What a kernel host has to be like, to fork kernels for a run."""

    venv: str
    """The environment's directory; its interpreter is ``bin/python``."""
    stamp: str
    """Changes with every package that is installed, removed or replaced there."""
    preload: tuple[str, ...] = ()
    """Modules that are imported before the first fork."""
    isolated: bool = False
    """Whether each kernel gets namespaces of its own."""
    network: bool = True
    """Whether an isolated kernel has the machine's network."""
    environment: str = ""
    """The environment's key; empty for one that no run is given."""

    @property
    def python(self) -> Path:
        """The interpreter."""
        return Path(self.venv, "bin", "python")
