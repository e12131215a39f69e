"""Attempts to make runs again: what came of each, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.ids import new_id
from provenance.ledger.states import ENDED, Purpose
from provenance.ledger.tables import Run
from provenance.ledger.trace_tables import Reproduction
from provenance.text import storable

CALLED_OFF = "the attempt was cancelled"


@dataclass(frozen=True)
class Attempted:
    """One attempt: of which run, by which run, and what came of it."""

    run_id: str
    again: str | None
    answer: str
    sentence: str
    details: Mapping[str, Any]
    actor: str


def write_reproduction(session: Session, told: Attempted) -> Reproduction:
    """Write what came of an attempt."""
    row = Reproduction(
        id=new_id("reproduction"),
        run_id=told.run_id,
        again=told.again,
        answer=told.answer,
        sentence=storable(told.sentence),
        details=storable(dict(told.details)),
        actor=told.actor,
    )
    session.add(row)
    session.flush()
    return row


def answer_for_want_of_one(session: Session, run: Run, because: str) -> None:
    """Write that nobody can say, where *run* was to make another again and is ended from outside.

    *because* is the end of the sentence. Any other run needs no answer.
    """
    if run.purpose != Purpose.REPRODUCE or run.again_of is None:
        return
    sentence = f"Cannot be reproduced, because {because}."
    told = ("cannot", sentence, {"because": because}, run.evaluation.actor)
    write_reproduction(session, Attempted(run.again_of, run.id, *told))


def reproductions_of(session: Session, run_id: str) -> Sequence[Reproduction]:
    """Return the attempts to make a run again, the newest first."""
    query = select(Reproduction).where(Reproduction.run_id == run_id)
    return session.scalars(query.order_by(Reproduction.id.desc())).all()


def answer_of(session: Session, again: str) -> Reproduction | None:
    """Return what came of the attempt that the run *again* was; None while it goes on."""
    query = select(Reproduction).where(Reproduction.again == again)
    return session.scalars(query.order_by(Reproduction.id.desc()).limit(1)).first()


def attempts_under_way(session: Session, run_id: str) -> Sequence[str]:
    """Return the runs that are making a run again at this moment."""
    query = select(Run.id).where(
        Run.again_of == run_id, Run.purpose == "reproduce", Run.status.not_in(ENDED)
    )
    return session.scalars(query.order_by(Run.id)).all()
