"""The different values of a column, read from its index without reading every row."""

from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

MOST = 200


def distinct_from(
    session: Session,
    column: InstrumentedAttribute[Any],
    beginning: str,
    *where: ColumnElement[bool],
) -> list[str]:
    """Return the values of *column* that begin with *beginning*, in order, at most 200.

    One look at the index each, so the cost is that of the values and not of the rows.
    """
    found: list[str] = []
    query = select(func.min(column)).where(column >= beginning, *where)
    while len(found) < MOST:
        value = session.scalar(query)
        if value is None or not value.startswith(beginning):
            break
        found.append(value)
        query = select(func.min(column)).where(column > value, *where)
    return found
