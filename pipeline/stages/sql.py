"""An SQL stage: one query, read from a source into a Parquet file."""

import re
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.containment import Workplace
from pipeline.runner.messages import Failure
from pipeline.stages.outcome import failed, succeeded
from pipeline.stages.signature import with_escaped_colons

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, CursorResult
    from sqlalchemy.engine import URL

MEDIA_TYPE = "application/vnd.apache.parquet"
BATCH_ROWS = 50_000
_READ_ONLY = {
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
_PASSWORD = re.compile(r"://[^@/\s]*@")


class ColumnError(Exception):
    """Raised when the rows make no table: with the column's name, and why."""


def execute_query(job: dict[str, Any], emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run the query that *job* describes (an SqlJob) and return how it went."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    target = Workplace(Path(job["workplace"]), "").outputs / "output.parquet"
    started = time.monotonic()
    try:
        url = _url(job["url"])
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            return failed(Failure("source", f"There is no database file {url.database}."))
        engine = create_engine(url, poolclass=NullPool)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _guard_sqlite)
        with engine.connect() as connection:
            connection.exec_driver_sql(_READ_ONLY.get(engine.dialect.name, "SELECT 1"))
            rows = _write(_select(connection, job["text"], job["params"]), target)
    except SQLAlchemyError as error:
        return failed(_failure(error))
    except ColumnError as error:
        name, said = error.args
        hint = "CAST a column to one type in the query, and name each differently."
        return failed(Failure("query", f"Column {name}: {said}".replace(" :", ":"), hint=hint))
    emit({"event": "log", "text": f"{rows:,} rows in {time.monotonic() - started:.2f} s\n"})
    output = {"name": "output", "path": str(target), "media_type": MEDIA_TYPE}
    return succeeded([output], queries=[{"text": job["text"], "rows": rows}])


def _url(text: str) -> "URL":
    """Return the source's address; the error of a malformed one does not repeat it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(text)
    except ValueError:
        raise ArgumentError("the address of the source is malformed") from None


def _guard_sqlite(connection: "sqlite3.Connection", _record: object) -> None:
    """Let SQLite do nothing but read: no ATTACH, no PRAGMA, no VACUUM INTO a file."""
    import sqlite3

    allowed = {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
    }

    def judge(action: int, *_: object) -> int:
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.set_authorizer(judge)


def _select(connection: "Connection", query: str, params: dict[str, Any]) -> "CursorResult[Any]":
    """Run *query* with bound parameters; dates are bound as dates, whatever the database."""
    from sqlalchemy import Date, bindparam, text

    statement = text(with_escaped_colons(query))
    values = {}
    for name, parameter in params.items():
        values[name] = parameter["value"]
        if parameter["type"] == "date":
            values[name] = date.fromisoformat(parameter["value"])
            statement = statement.bindparams(bindparam(name, type_=Date()))
    return connection.execution_options(stream_results=True).execute(statement, values)


def _write(result: "CursorResult[Any]", target: Path) -> int:
    """Write all rows to *target* and return how many there are.

    Rows become Arrow columns batch by batch; where batches disagree on a column's type
    (nulls first, then numbers), the wider one is taken.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(result.keys())
    if twice := [name for name in names if names.count(name) > 1]:
        raise ColumnError(twice[0], "the query gives two columns of this name")
    tables = [pa.table({name: pa.array([], pa.null()) for name in names})]
    while batch := result.fetchmany(BATCH_ROWS):
        columns = (
            _column(name, cells)
            for name, cells in zip(names, zip(*batch, strict=True), strict=True)
        )
        tables.append(pa.table(dict(zip(names, columns, strict=True))))
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ColumnError("", str(error)) from error
    pq.write_table(table, target, compression="zstd")
    return int(table.num_rows)


def _column(name: str, cells: tuple[Any, ...]) -> Any:
    """Return one column as an Arrow array; raise ColumnError where its values do not fit."""
    import pyarrow as pa

    try:
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ColumnError(name, str(error)) from error


def _failure(error: Exception) -> Failure:
    said = _PASSWORD.sub("://", str(getattr(error, "orig", None) or error))
    return Failure(
        "query",
        f"The query failed: {said.strip()[:2000]}",
        hint="Queries may only read, and name their parameters as :name.",
    )
