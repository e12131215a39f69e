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

    One look at the index each, the "loose index scan" that neither SQLite nor PostgreSQL does by
    itself: the cost is that of the values and not of the rows.
    """
    # SQLite compares bytes; elsewhere what begins alike need not stand together.
    by_bytes = session.get_bind().dialect.name == "sqlite"
    least = select(func.min(column).label("value"))
    least = least.where(*where, *((column >= beginning,) if by_bytes else ()))
    found = least.cte("found", recursive=True)
    value = found.c.value
    after = select(func.min(column)).where(column > value, *where).correlate(found)
    goes_on = _begins(value, beginning) if by_bytes else value.is_not(None)
    found = found.union_all(select(after.scalar_subquery()).where(goes_on))
    begun = _begins(found.c.value, beginning)
    return list(session.scalars(select(found.c.value).where(begun).limit(MOST)))


def _begins(value: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    return func.substr(value, 1, len(beginning)) == beginning
