"""The different values of a column, read from its index without reading every row."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from provenance.ledger.engine import is_sqlite

MOST = 200
Where = tuple[ColumnElement[bool], ...]


def distinct_from(
    session: Session,
    column: InstrumentedAttribute[Any],
    beginning: str,
    where: Where = (),
    values: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the values of *column* that begin with *beginning*, in order, at most 200.

    One look at the index each, the "loose index scan" that neither SQLite nor PostgreSQL does by
    itself: the cost is that of the values and not of the rows. *where* narrows the rows; it has
    to be a constant, whose parameters are *values*.
    """
    by_bytes = is_sqlite(session)
    begun = {"beginning": beginning, "length": len(beginning)}
    return [*session.scalars(_query(column, where, by_bytes), {**(values or {}), **begun})]


@cache
def _query(column: InstrumentedAttribute[Any], where: Where, by_bytes: bool) -> Select[tuple[str]]:
    """Return the query, which takes longer to build than to be answered.

    SQLite compares *by_bytes*; elsewhere what begins alike need not stand together.
    """
    least = select(func.min(column).label("value"))
    least = least.where(*where, *((column >= bindparam("beginning"),) if by_bytes else ()))
    found = least.cte("found", recursive=True)
    value = found.c.value
    after = select(func.min(column)).where(column > value, *where).correlate(found)
    goes_on = _begins(value) if by_bytes else value.is_not(None)
    found = found.union_all(select(after.scalar_subquery()).where(goes_on))
    return select(found.c.value).where(_begins(found.c.value)).limit(MOST)


def _begins(value: ColumnElement[str]) -> ColumnElement[bool]:
    return func.substr(value, 1, bindparam("length")) == bindparam("beginning")
