"""Whether runs have moved since somebody looked: cheap to ask, again and again."""

import hashlib
from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from provenance.ledger.tables import Run


def movement(session: Session, which: ColumnElement[bool]) -> tuple[object, ...]:
    """Return values that differ once one of the runs begins, goes on in its cells, or ends."""
    moved = (
        func.count(),
        func.count().filter(Run.cancel_requested),
        func.max(Run.id),
        func.sum(Run.cells_done),
        func.max(Run.cell_at),
        func.max(Run.started_at),
        func.max(Run.finished_at),
        func.max(Run.doing),
        func.min(Run.doing),
    )
    query = select(Run.status, *moved).where(which).group_by(Run.status).order_by(Run.status)
    return tuple(tuple(row) for row in session.execute(query))


def token(values: Iterable[object]) -> str:
    """Return a short text that stands for *values*."""
    return hashlib.sha256(repr(tuple(values)).encode()).hexdigest()[:16]
