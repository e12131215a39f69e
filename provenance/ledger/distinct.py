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
    least = select(func.min(column).label("value")).where(column >= beginning, *where)
    found = least.cte("found", recursive=True)
    after = select(func.min(column)).where(column > found.c.value, *where).correlate(found)
    fits = func.substr(found.c.value, 1, len(beginning)) == beginning
    found = found.union_all(select(after.scalar_subquery()).where(fits))
    values = session.scalars(select(found.c.value).where(found.c.value.is_not(None)).limit(MOST))
    return [value for value in values if value.startswith(beginning)]
