"""Warm kernels as pages and programs see them: how often proved, and which are off since when."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.ledger.environment_tables import KernelProof


def kernels_of_environments(session: Session, keys: Iterable[str]) -> dict[str, list[KernelProof]]:
    """Return what is known of the warm kernels of each environment, those that are off first."""
    found: dict[str, list[KernelProof]] = {key: [] for key in keys}
    query = select(KernelProof).where(KernelProof.environment.in_(found))
    order = KernelProof.off_at.is_(None), KernelProof.at.desc(), KernelProof.preload
    for row in session.scalars(query.order_by(*order)):
        found[row.environment].append(row)
    return found


def kernels_off(session: Session) -> list[KernelProof]:
    """Return the warm kernels that are off until somebody trusts them, the newest first."""
    off = KernelProof.off_at.is_not(None)
    return list(session.scalars(select(KernelProof).where(off).order_by(KernelProof.off_at.desc())))


def kernels_token(session: Session) -> tuple[object, ...]:
    """Return values that differ once kernels were turned off or are trusted again."""
    off = KernelProof.off_at
    return tuple(session.execute(select(func.count(off), func.max(off))).one())


def proof_of_run(session: Session, run_id: str) -> KernelProof | None:
    """Return the warm kernels that are off since this run; None where it turned none off."""
    off = KernelProof.run_id == run_id, KernelProof.off_at.is_not(None)
    return session.scalar(select(KernelProof).where(*off).limit(1))
