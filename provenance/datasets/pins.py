"""Pins: somebody holds on to a batch, a run or an object, so nothing collects it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.datasets.errors import UnknownPinError
from provenance.ledger.data_tables import Pin
from provenance.ledger.ids import new_id


def pin(
    session: Session,
    target: str,
    holder: str,
    reason: str = "",
    expires_at: datetime | None = None,
) -> Pin:
    """Hold on to *target*, until *expires_at* or for good; a second time changes the first."""
    found = _find(session, target, holder)
    if found is None:
        found = Pin(id=new_id("pin"), holder=holder, target=target)
        session.add(found)
    found.reason, found.expires_at = reason, expires_at
    session.flush()
    return found


def unpin(session: Session, target: str, holder: str) -> None:
    """Let go of *target*; raise UnknownPinError where *holder* does not hold it."""
    found = _find(session, target, holder)
    if found is None:
        holders = [one.holder for one in pins_of(session, target)]
        told = f"Pinned by: {', '.join(holders)}." if holders else "Nobody holds it."
        raise UnknownPinError(f"{target[:100]} is not pinned by {holder}.", told)
    session.delete(found)
    session.flush()


def pins_of(session: Session, target: str) -> Sequence[Pin]:
    """Return who holds *target*, oldest first; pins that ran out are there until taken away."""
    wanted = select(Pin).where(Pin.target == target).order_by(Pin.id)
    return session.scalars(wanted).all()


def _find(session: Session, target: str, holder: str) -> Pin | None:
    same = select(Pin).where(Pin.target == target, Pin.holder == holder)
    return session.scalars(same.with_for_update()).one_or_none()
