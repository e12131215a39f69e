"""Very many values in one query, in a way that each database reads fast.

PostgreSQL takes them as one parameter: with one for each, to send, read and plan the query takes
as long as to find a hundred rows.
"""

import json
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ARRAY, ColumnElement, String, any_, func, literal
from sqlalchemy.orm import InstrumentedAttribute, Session

from provenance.ledger.engine import is_sqlite

V = TypeVar("V", str, int)


def among(
    session: Session, column: InstrumentedAttribute[V], values: Sequence[V]
) -> ColumnElement[bool]:
    """Say that *column* is one of *values*."""
    if is_sqlite(session):
        return column.in_(values)
    return column == any_(literal(values, ARRAY(column.type)))


def each_of(session: Session, values: Sequence[str]) -> ColumnElement[str]:
    """Return a column that has each of *values*, to be selected from by itself."""
    if is_sqlite(session):
        return func.json_each(json.dumps(values)).table_valued("value").c.value
    found = func.unnest(literal(values, ARRAY(String))).table_valued("value")
    return found.render_derived().c.value
