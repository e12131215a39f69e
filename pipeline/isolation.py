"""How far users' code is set apart from the machine: what its kernel allows, found out once."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from pipeline.containment import Cover, Isolation, sdk_root
from pipeline.workplace import Workplace, make_sockets_root
from provenance.errors import UnavailableError

if TYPE_CHECKING:
    from pipeline.installation import Installation
    from pipeline.situation import Situation

PROCESSES = "processes"
"""Everything that was started is limited and ended; it sees the machine as the worker does."""
NAMESPACES = "namespaces"
"""Also, code sees no other processes, and of what is provenote's only what it needs."""
_PROBE_SECONDS = 30.0
_PROBE = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from provenote._namespaces import try_all\n"
    "try: try_all(network=sys.argv[2] == 'network')\n"
    "except OSError as error: sys.exit(str(error))\n"
)


class NotIsolatedError(UnavailableError):
    """Raised where isolation is required, and this machine does not allow it."""

    code = "isolation"


@dataclass(frozen=True)
class IsolationWanted:
    """What the operator wants: ``auto`` is as much as there is; ``required``, that or nothing."""

    mode: Literal["auto", "none"] = "auto"
    required: bool = False
    network: bool = True
    """Whether code may use the machine's network; to keep it from that takes isolation."""

    @property
    def level(self) -> str:
        """The level that holds: "processes", "namespaces" or "namespaces, no network".

        Raises NotIsolatedError where a higher one is required.
        """
        why = 'PROVENOTE_ISOLATION is "none"' if self.mode == "none" else hindrance(self.network)
        if not why:
            return NAMESPACES if self.network else f"{NAMESPACES}, no network"
        if self.required or not self.network:
            wanted = "REQUIRE_ISOLATION is set" if self.required else "NETWORK is off"
            raise NotIsolatedError(
                f"PROVENOTE_{wanted}, and users' code cannot be isolated here: {why}.",
                "Allow user namespaces on this machine (in a container: its seccomp profile), or "
                "do without.",
            )
        return PROCESSES


@cache
def hindrance(network: bool) -> str:
    """Return why code cannot have namespaces of its own here; empty where it can."""
    asked = "network" if network else "none"
    argv = [sys.executable, "-I", "-S", "-c", _PROBE, sdk_root(), asked]
    try:
        done = subprocess.run(
            argv, env={}, capture_output=True, text=True, check=False, timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr.strip() or f"status {done.returncode}")[-500:] if done.returncode else ""


def isolation_in(
    installation: "Installation", situation: "Situation", place: Workplace
) -> Isolation | None:
    """Return how code in *place* is set apart; None where the machine allows nothing.

    Of what is the installation's own it sees its place, the checkout and its environment; of
    the sockets of all kernels those of its own.
    Raises NotIsolatedError where the operator requires more than there is.
    """
    wanted, environment = installation.isolation, situation.environment.root
    if wanted.level == PROCESSES:
        return None
    try:
        make_sockets_root()  # else what comes into it later could be seen
    except OSError as error:
        raise NotIsolatedError(
            f"The sockets of other code cannot be hidden: {error}.", "Remove what is there."
        ) from error
    read = environment, situation.checkout.root
    write = place.root, place.sockets, environment / "cache"
    shown = [tuple(str(path) for path in paths) for paths in (installation.private, read, write)]
    return Isolation(wanted.network, Cover(*shown))
