"""What came of making a run again, as commands, interface and pages tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.run_object import instant
from pipeline.reproduction.answer import Grade
from provenance.ledger.reproductions import attempts_under_way, reproductions_of
from provenance.ledger.trace_tables import Reproduction

WORDS = {
    Grade.IDENTICAL: "identical",
    Grade.WITHIN_TOLERANCE: "within tolerance",
    Grade.DIFFERS: "differs",
    Grade.CANNOT: "cannot",
}
"""The answers as people say them."""


@dataclass(frozen=True)
class Reproductions:
    """The history of attempts to make one run again, newest first."""

    rows: Sequence[Reproduction]
    under_way: Sequence[str]
    """Runs that are making it again now."""

    @property
    def badge(self) -> str:
        """One line: how often, and what came of it the last time."""
        if not self.rows:
            return "Never reproduced."
        last = self.rows[0]
        count = sum(row.answer != Grade.CANNOT for row in self.rows)
        times = {0: "Never reproduced", 1: "Reproduced once"}.get(
            count, f"Reproduced {count} times"
        )
        word = "last tried" if last.answer == Grade.CANNOT else "last"
        return f"{times}, {word} on {last.at:%Y-%m-%d}: {WORDS[Grade(last.answer)]}."

    def as_json(self) -> dict[str, Any]:
        """Return the history as plain JSON values."""
        items = [reproduction_object(row) for row in self.rows]
        return {"badge": self.badge, "under_way": list(self.under_way), "items": items}


def reproductions(session: Session, run_id: str) -> Reproductions:
    """Return what came of the attempts to make a run again."""
    return Reproductions(reproductions_of(session, run_id), attempts_under_way(session, run_id))


def reproduction_object(row: Reproduction) -> dict[str, Any]:
    """Return one attempt in JSON form."""
    return {
        "id": row.id,
        "run": row.run_id,
        "again": row.again,
        "answer": row.answer,
        "sentence": row.sentence,
        "details": row.details,
        "actor": row.actor,
        "at": instant(row.at),
    }
