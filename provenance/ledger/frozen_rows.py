"""The rows of a run as JSON, and back: those of every table whose rows belong to a run."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Enum, Table, insert, select
from sqlalchemy.orm import Session

from provenance.ledger.columns import Base, UtcDateTime
from provenance.ledger.states import Status

Rows = dict[str, list[dict[str, Any]]]

_MADE_BY = ("batch", "pointer_event")
"""Tables whose rows were made by a run, and are there without it."""
_DROPPED = {("run", "dedup_key")}
"""What is no part of a run that comes back: the same may have been asked for once more."""


@cache
def of_runs() -> tuple[tuple[Table, Column[Any]], ...]:
    """Return each table with rows of runs and the column that names the run; runs come first."""
    run = Base.metadata.tables["run"]
    found: list[tuple[Table, Column[Any]]] = [(run, run.c.id)]
    for table in Base.metadata.sorted_tables:
        if table.name not in _MADE_BY and "run_id" in table.c:
            column = table.c.run_id
            if any(key.column is run.c.id for key in column.foreign_keys):
                found.append((table, column))
    return tuple(found)


def frozen(session: Session, run_id: str) -> Rows:
    """Return the rows of a run by table, in JSON form."""
    rows: Rows = {}
    for table, column in of_runs():
        found = session.execute(select(table).where(column == run_id)).mappings()
        if told := [_frozen(table, row) for row in found]:
            rows[table.name] = told
    return rows


def thawed(session: Session, runs: Sequence[Rows]) -> None:
    """Write rows that were frozen; what a table does not know any more is left out."""
    for table, _ in of_runs():
        rows = [row for one in runs for row in one.get(table.name, ())]
        if rows:
            session.execute(insert(table), [_thawed(table, row) for row in rows])
    session.expire_all()


def _frozen(table: Table, row: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if (table.name, name) not in _DROPPED
    }


def _thawed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(table.c[name], value) for name, value in row.items() if name in table.c}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    return Status(value) if isinstance(column.type, Enum) else value
