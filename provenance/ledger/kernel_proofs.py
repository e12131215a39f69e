"""Writing down whether warm kernels give what cold ones do; functions never commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provenance.identity.canonical import digest
from provenance.ledger.columns import utc_now
from provenance.ledger.environment_tables import KernelProof
from provenance.ledger.inserting import insert_into
from provenance.ledger.tables import Run

EQUAL, NONDETERMINISTIC, DIFFERS = "equal", "nondeterministic", "differs"


@dataclass(frozen=True)
class WarmKernels:
    """Kernels that are alike: of one environment, with the same modules imported beforehand."""

    environment: str
    """Key of the environment."""
    modules: tuple[str, ...]

    @property
    def preload(self) -> str:
        """Digest of the modules."""
        return digest("preload", list(self.modules))


def count_report(session: Session, kernels: WarmKernels, one_in: int) -> bool:
    """Count a report that such a kernel has executed, and tell whether it is to be proved.

    The first is, and from then on one in *one_in*, whoever counts.
    """
    row = _locked(session, kernels)
    row.runs += 1
    return (row.runs - 1) % one_in == 0


def note_proof(
    session: Session, kernels: WarmKernels, run_id: str, outcome: str, told: Mapping[str, Any]
) -> None:
    """Write down how a proof ended; where it differs, such kernels are off from now on.

    What had them off stays, whatever is found out later: somebody has to look at it.
    """
    session.execute(update(Run).where(Run.id == run_id).values(proof=outcome))
    row = _locked(session, kernels)
    if row.off_at is not None:
        return
    row.outcome, row.at, row.run_id, row.told = outcome, utc_now(), run_id, dict(told) or None
    row.proved += outcome == EQUAL
    if outcome == DIFFERS:
        row.off_at = row.at


def are_off(session: Session, kernels: WarmKernels) -> bool:
    """Tell whether such kernels gave something else than cold ones, and nobody trusts them yet."""
    of_these = (
        KernelProof.environment == kernels.environment,
        KernelProof.preload == kernels.preload,
    )
    return session.scalar(select(KernelProof.off_at).where(*of_these)) is not None


def trust(session: Session, environment: str, actor: str) -> int:
    """Let warm kernels of an environment be used again; return how many kinds were off.

    The next report that one executes is proved.
    """
    off = KernelProof.environment == environment, KernelProof.off_at.is_not(None)
    rows = session.scalars(select(KernelProof).where(*off).with_for_update()).all()
    for row in rows:
        row.off_at, row.runs = None, 0
        row.trusted_at, row.trusted_by = utc_now(), actor
    return len(rows)


def _locked(session: Session, kernels: WarmKernels) -> KernelProof:
    key = {"environment": kernels.environment, "preload": kernels.preload}
    none = {**key, "modules": list(kernels.modules), "runs": 0, "proved": 0}
    session.execute(insert_into(session, KernelProof).values(none).on_conflict_do_nothing())
    # Locked: another worker may count at the same moment.
    return session.get_one(KernelProof, tuple(key.values()), with_for_update=True)
