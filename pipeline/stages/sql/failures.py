"""How a reading comes to nothing: in the database's words, without the source's secrets."""

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from pipeline.runner.messages import Failure, SqlJob

_ADDRESS = re.compile(r"://[^/\s]*@")
_SECRET = re.compile(r"passw|pwd|secret|token", re.IGNORECASE)
"""In the name of a value that stands in the query of an address."""
_REFUSED = re.compile(
    r"authentication failed|does not exist|pg_hba\.conf|no password supplied"
    r"|permission denied|not permitted to log in",
)
_PASSING = re.compile(r"08...|57P0[1-5]|53...|40001|40P01|25P03")
"""PostgreSQL's codes of what passes: lost connections, a server that starts or ends, one that
is full, and queries that a standby cancels because replay needs what they look at."""
_CANCELLED = "57014"
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
_LONGEST = 2000


class ReadingError(Exception):
    """Raised to end a reading: with what to tell, and whether it may go well later."""

    def __init__(self, failure: Failure, *, again: bool = False) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.again = again


class Deadline:
    """The time that a query may take."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    @property
    def remaining(self) -> float | None:
        """Seconds that are left; None where there is no limit."""
        return None if self._until is None else self._until - time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the time has passed."""
        return self._until is not None and time.monotonic() >= self._until

    def error(self) -> ReadingError:
        """Return the error of a query that took too long."""
        hint = "Let it read less, add an index at the source, or raise the stage's timeout."
        message = f"The query took longer than {self._seconds:g} s."
        return ReadingError(Failure("timed_out", message, hint=hint))

    def check(self) -> None:
        """Raise ReadingError where the time has passed."""
        if self.over:
            raise self.error()


def unreachable(error: SQLAlchemyError, ask: SqlJob) -> ReadingError:
    """Return the error of a source to which there was no connection."""
    said = words(error, ask.url)
    if not isinstance(error, DBAPIError) or _REFUSED.search(said):
        hint = f"Whoever runs provenote sets the address of the source {ask.source}."
        message = f"Source {ask.source} cannot be opened: {said}"
        return ReadingError(Failure("source", message, hint=hint))
    return _passing(f"Source {ask.source} does not answer: {said}")


def failing(error: SQLAlchemyError, ask: SqlJob, deadline: Deadline) -> ReadingError:
    """Return the error of a query that the database did not carry out."""
    code, said = _code(error), words(error, ask.url)
    if deadline.over and code in (_CANCELLED, "SQLITE_INTERRUPT"):
        return deadline.error()
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or code.startswith(_LOCKED) or _PASSING.fullmatch(code):
        return _passing(f"Source {ask.source} broke off: {said}")
    hint = "Queries may only read, and name their parameters as :name."
    return ReadingError(Failure("query", f"The query failed: {said}", hint=hint))


def _passing(message: str) -> ReadingError:
    hint = "It is tried again by itself; if that goes on, see whether the server is there."
    return ReadingError(Failure("source_unreachable", message, hint=hint), again=True)


def _code(error: SQLAlchemyError) -> str:
    """Return the database's own code for *error*: SQLSTATE, or SQLite's name."""
    cause: Any = getattr(error, "orig", None)
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or "")


def words(error: Exception, url: str) -> str:
    """Return what the database said, without the secrets of the source's address."""
    said = str(getattr(error, "orig", None) or error)
    for secret in sorted(_secrets(url), key=len, reverse=True):
        said = said.replace(secret, "…")
    return _ADDRESS.sub("://", said).strip()[:_LONGEST]


def _secrets(url: str) -> Iterator[str]:
    """Yield what nobody may see of an address, in each form that a driver may repeat it in."""
    if url:
        yield url
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        return
    found = [parts.password] if parts.password else []
    for name, given in parts.query.items():
        if _SECRET.search(name):
            found += [given] if isinstance(given, str) else given
    for secret in filter(None, map(str, found)):
        yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
