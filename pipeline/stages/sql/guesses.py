"""Which table or column was meant where the query names one that is not there."""

import re
from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from provenance.nearest import did_you_mean, listed

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = re.compile(r'(?:relation "|no such table: )([\w.$]+)')
_COLUMN = re.compile(r'(?:column "?|no such column: )([\w.$]+)"?')
_MOST_TABLES = 20


def what_was_meant(connection: "Connection", query: str, said: str) -> str:
    """Return a sentence that names the nearest table or column, or an empty text.

    *said* is the database's message. The connection's transaction is over afterwards.
    """
    missing = _TABLE.search(said) or _COLUMN.search(said)
    if missing is None:
        return ""
    try:
        connection.rollback()
        _let_look(connection)
        name = missing[1].rpartition(".")[2]
        tables = _tables(connection)
        if missing.re is _TABLE:
            return did_you_mean(name, tables) or f"Its tables: {listed(tables)}."
        columns = _columns(connection, query, tables)
        return did_you_mean(name, columns) or (
            f"Its columns: {listed(columns)}." if columns else ""
        )
    except SQLAlchemyError:
        return ""  # the database's own words have to do


def _let_look(connection: "Connection") -> None:
    """From here on it is we who ask: SQLite tells its columns by a PRAGMA only."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.set_authorizer(None)
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 3000")


def _tables(connection: "Connection") -> list[str]:
    inspector = inspect(connection)
    return sorted({*inspector.get_table_names(), *inspector.get_view_names()})


def _columns(connection: "Connection", query: str, tables: list[str]) -> list[str]:
    """Return the columns of the tables that the query names."""
    words = {word.lower() for word in re.findall(r"\w+", query)}
    named = [table for table in tables if table.lower() in words][:_MOST_TABLES]
    inspector = inspect(connection)
    return sorted({str(one["name"]) for table in named for one in inspector.get_columns(table)})
