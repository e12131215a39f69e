"""Whether warm kernels are trusted to give what cold ones do: known to all workers alike."""

import time

from sqlalchemy.exc import SQLAlchemyError

from pipeline.kernels.wanted import HostWanted
from provenance.ledger.engine import Ledger
from provenance.ledger.kernel_proofs import WarmKernels, are_off

REMEMBERED_SECONDS = 5.0


def kernels_of(wanted: HostWanted) -> WarmKernels:
    """Return which kernels a host like that forks, as the ledger names them."""
    return WarmKernels(wanted.environment, wanted.preload)


class KernelTrust:
    """What the ledger says of warm kernels; an answer is remembered for a few seconds."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[WarmKernels, tuple[float, bool]] = {}

    def has(self, wanted: HostWanted) -> bool:
        """Tell whether kernels of such a host may be used.

        They may not where the ledger does not answer: a result that comes late is worth more
        than one that may be another.
        """
        kernels = kernels_of(wanted)
        asked, found = self._known.get(kernels, (0.0, False))
        if asked and time.monotonic() - asked < REMEMBERED_SECONDS:
            return found
        try:
            with self._ledger.reading() as session:
                found = not are_off(session, kernels)
        except SQLAlchemyError as error:
            import structlog  # takes rich along, and is rarely needed

            structlog.get_logger().warning(
                "no warm kernel, the ledger does not answer", error=str(error)
            )
            return False
        self._known[kernels] = time.monotonic(), found
        return found

    def forget(self) -> None:
        """Ask the ledger again the next time."""
        self._known.clear()
