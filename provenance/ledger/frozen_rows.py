"""The rows of runs as JSON, and back: those of every table whose rows belong to a run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import JSON, Column, Enum, Table, delete, insert, null, or_, select
from sqlalchemy.orm import Session

from provenance.ledger.columns import Base, UtcDateTime
from provenance.ledger.states import Status

Row = dict[str, Any]
Rows = dict[str, list[Row]]

_MADE_BY = ("batch", "pointer_event")
"""Tables whose rows were made by a run, and are there without it."""
_DROPPED = {("run", "dedup_key")}
"""What is no part of a run that comes back: the same may have been asked for once more."""
_Columns = tuple[Column[Any], ...]


@cache
def of_runs() -> tuple[tuple[Table, _Columns], ...]:
    """Return each table with rows of runs and its columns that name a run; runs come first."""
    run = Base.metadata.tables["run"]
    found: list[tuple[Table, _Columns]] = [(run, (run.c.id,))]
    for table in Base.metadata.sorted_tables:
        names = tuple(
            column
            for column in table.c
            if any(key.column is run.c.id for key in column.foreign_keys)
        )
        if names and table.name not in _MADE_BY:
            found.append((table, names))
    return tuple(found)


def frozen(session: Session, run_ids: Sequence[str]) -> dict[str, Rows]:
    """Return the rows of each run by table, in JSON form; a row of two runs is the first one's."""
    found: dict[str, Rows] = {run_id: {} for run_id in run_ids}
    for table, columns in of_runs():
        for row in session.execute(select(table).where(_names(columns, run_ids))).mappings():
            owner = next(row[column.name] for column in columns if row[column.name] in found)
            found[owner].setdefault(table.name, []).append(_frozen(table, row))
    return found


def remove(session: Session, run_ids: Sequence[str]) -> None:
    """Delete the rows of runs."""
    for table, columns in reversed(of_runs()):
        session.execute(delete(table).where(_names(columns, run_ids)))
    session.expunge_all()


def thawed(session: Session, runs: Sequence[Rows]) -> None:
    """Write rows that were frozen; what a table does not know any more is left out."""
    for table, _ in of_runs():
        rows = [row for one in runs for row in one.get(table.name, ())]
        if rows:
            session.execute(insert(table), [_thawed(table, row) for row in rows])
    session.expire_all()


def named_runs(rows: Rows) -> set[str]:
    """Return the runs that rows cannot be without."""
    named = {
        row.get(column.name)
        for table, columns in of_runs()
        for row in rows.get(table.name, ())
        for column in columns
    }
    about = {row.get("again_of") for row in rows.get("run", ())}
    return {run_id for run_id in named | about if run_id}


def _names(columns: _Columns, run_ids: Sequence[str]) -> Any:
    return or_(*(column.in_(run_ids) for column in columns))


def _frozen(table: Table, row: Mapping[Any, Any]) -> Row:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if (table.name, name) not in _DROPPED
    }


def _thawed(table: Table, row: Row) -> Row:
    return {name: _value(table.c[name], value) for name, value in row.items() if name in table.c}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:  # of a column that holds JSON, None would be written as a value of it
        return null() if isinstance(column.type, JSON) else None
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    return Status(value) if isinstance(column.type, Enum) else value
