"""Opening a source so that nothing can be written to it."""

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from pipeline.runner.messages import Failure, SqlJob
from pipeline.stages.sql.failures import Deadline, ReadingError, unreachable
from pipeline.stages.sql.postgres_types import load_exactly
from provenance.sqlite_guard import only_read

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

_CONNECT_SECONDS = 15
_LIBPQ = ("psycopg", "psycopg2")
_READ_ONLY = "-c default_transaction_read_only=on"


@contextmanager
def connected(ask: SqlJob, deadline: Deadline) -> Iterator["Connection"]:
    """Give a connection to the source that *ask* names; raise ReadingError if there is none."""
    try:
        engine = _engine(ask, deadline)
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise unreachable(error, ask) from error
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


def _engine(ask: SqlJob, deadline: Deadline) -> "Engine":
    url = _url(ask.url)
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        url = _file_for_reading(url)
    try:
        driver = url.get_dialect().driver
        if url.get_backend_name() == "postgresql" and driver in _LIBPQ:
            options = {"connect_args": _libpq_arguments(url), "use_native_hstore": False}
        engine = create_engine(url, poolclass=NullPool, **options)
    except ImportError as error:
        hint = "Whoever runs provenote installs the driver beside it."
        message = f"There is no driver for {url.drivername}: {error}."
        raise ReadingError(Failure("source", message, hint=hint)) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _guard(deadline))
    elif engine.dialect.driver == "psycopg":
        event.listen(engine, "connect", load_exactly)
    return engine


def _url(text: str) -> "URL":
    """Return the source's address; the error of a malformed one does not repeat it."""
    try:
        url = make_url(text)
    except (ValueError, ArgumentError):
        raise ArgumentError("the address of the source is malformed") from None
    if "@" in (url.host or ""):
        # It is the end of the password, which every error about the host would tell.
        raise ArgumentError("an @ in the password of the source has to be written %40")
    return url


def _file_for_reading(url: "URL") -> "URL":
    """Return the address of an SQLite file such that it is opened for reading only."""
    path = Path(url.database or "")
    if not path.is_file():
        raise ReadingError(Failure("source", f"There is no database file {url.database}."))
    if url.get_driver_name() != "pysqlite":
        return url
    plain = url.set(database=f"file:{quote(str(path.absolute()))}")
    return plain.update_query_dict({"mode": "ro", "uri": "true"})


def _libpq_arguments(url: "URL") -> dict[str, Any]:
    """Say that each transaction may only read, those too that nobody of us has begun."""
    given = url.query.get("options", "")
    options = " ".join([given] if isinstance(given, str) else given)
    arguments: dict[str, Any] = {"options": f"{options} {_READ_ONLY}".strip()}
    arguments["client_encoding"] = "utf8"  # the server sees to it, whatever it keeps
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = _CONNECT_SECONDS
    return arguments


def _guard(deadline: Deadline) -> Callable[[sqlite3.Connection, object], None]:
    """Let SQLite do nothing but read, and no longer than it may."""

    def guard(connection: sqlite3.Connection, _record: object) -> None:
        only_read(connection, lambda: deadline.over, transactions=True)

    return guard


def begin(connection: "Connection", ask: SqlJob) -> None:
    """Begin the transaction in which everything is read: all of it sees the same data.

    On PostgreSQL casts between instants and days use the source's time zone, so that a day
    in the query is the day that ``covers`` means, whatever the server is set to.
    """
    name = connection.dialect.name
    if name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    elif name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        zone = ask.timezone.replace("'", "''")
        connection.exec_driver_sql(f"SET LOCAL TIME ZONE '{zone}'")
        connection.exec_driver_sql("SET LOCAL intervalstyle = 'postgres'")
        if (connection.dialect.server_version_info or ()) >= (14,):
            # Then a query ends soon after the runner that asked for it was killed.
            connection.exec_driver_sql("SET LOCAL client_connection_check_interval = '1s'")


def limit(connection: "Connection", deadline: Deadline) -> None:
    """Let the server end what it is asked next when the time is over."""
    deadline.check()
    remaining = deadline.remaining
    if remaining is not None and connection.dialect.name == "postgresql":
        # Rounded up: what the server ends must be over by our own clock too.
        milliseconds = min(max(1, math.ceil(remaining * 1000)), 2**31 - 1)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
