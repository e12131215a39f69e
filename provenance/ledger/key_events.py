"""What was odd about a key: its result came out differently, or somebody brought one too late."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.ids import new_id
from provenance.ledger.trace_tables import KeyEvent

NONDETERMINISTIC = "nondeterministic"
REFUSED = "refused"


@dataclass(frozen=True)
class Odd:
    """The two records of an event: the one that stands, the one that does not, and its run."""

    record: str
    other: str | None
    run_id: str | None


def note_key_event(session: Session, key: str, kind: str, odd: Odd) -> KeyEvent:
    """Write down that something was odd about *key*; *kind* is one of the two above."""
    event = KeyEvent(
        id=new_id("event"),
        key=key,
        kind=kind,
        record=odd.record,
        other=odd.other,
        run_id=odd.run_id,
    )
    session.add(event)
    session.flush()
    return event


def key_events(session: Session, *keys: str) -> list[KeyEvent]:
    """Return the events of *keys*, the oldest first."""
    query = select(KeyEvent).where(KeyEvent.key.in_(keys)).order_by(KeyEvent.id)
    return list(session.scalars(query))
