"""Opening the ledger's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

BUSY_TIMEOUT_MS = 30_000
_READ_ONLY = {"provenote_read_only": True}


class Ledger:
    """The database, opened: hands out sessions, each of them one transaction."""

    def __init__(self, url: str) -> None:
        """Prepare to connect to *url* (SQLAlchemy's form); nothing is opened yet."""
        self.engine = _engine(url)
        on_sqlite = self.engine.dialect.name == "sqlite"
        # A transaction of PostgreSQL's usual kind would see no more of one state, and would have
        # each page wait for its beginning and its end.
        self._to_read = _READ_ONLY if on_sqlite else {"isolation_level": "AUTOCOMMIT"}

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that only reads; on SQLite it never waits for a writer.

        There it sees one state of the ledger, on PostgreSQL what each statement finds.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options=self._to_read)
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that is committed at the end, or rolled back on an exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections; also to be called in a forked child before first use."""
        self.engine.dispose()


def is_sqlite(session: Session) -> bool:
    """Tell whether *session* speaks with SQLite; else it is PostgreSQL."""
    return session.get_bind().dialect.name == "sqlite"


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        # Most often this makes the home directory, which is for its owner alone.
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(parsed)
    _tune_sqlite(engine)
    return engine


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _tune_sqlite(engine: Engine) -> None:
    """Use WAL, wait up to 30 s for a lock, sync every commit, and take the lock up front.

    ``BEGIN IMMEDIATE`` makes a writer wait at the start of its transaction, where waiting
    is harmless; a reader that turns into a writer half-way could only fail.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # Its own knows the letters of ASCII only.
        connection.create_function("lower", 1, _lower, deterministic=True)
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        read_only = connection.get_execution_options().get("provenote_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
