"""Queries of analysts: they read the ledger, and can do nothing else.

The database itself enforces that. What is looked at in the text before gives better words, and
keeps out what a database lets a reader do: SQLite's guard knows each action, PostgreSQL's
read-only transaction does not know what a function does to the world outside.
"""

import re
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from provenance.errors import InvalidInputError, UnavailableError
from provenance.ledger.answers import LARGEST_ANSWER, Answer, collect, too_long_value
from provenance.ledger.engine import Ledger
from provenance.ledger.sql_text import QueryText
from provenance.ledger.views import VIEWS
from provenance.nearest import did_you_mean
from provenance.sqlite_guard import only_read

SECONDS = 60.0
LIMIT = 1000
_BEGINNINGS = ("SELECT", "WITH", "VALUES")
_HARMLESS = ("random", "clock_timestamp", "timeofday", "gen_random_uuid")
_TELLING = frozenset({"current_setting", "pg_config", "pg_show_all_settings"})
"""Functions that only compute, and tell of the server: its folders, its settings."""
_RUNS_QUERIES = re.compile(r"(?:table|query|cursor|schema|database)_to_xml\w*")
"""Functions that read any table whose name they are given as a text, where nobody sees it."""
_SECRETS = (
    "pg_authid",
    "pg_foreign_server",
    "pg_largeobject",
    "pg_subscription",
    "pg_user_mapping",
)
"""Tables of the server that hold what is nobody's business; its views are refused altogether."""
_UNKNOWN = re.compile(r'(?:no such (table|column): (\S+)|(relation|column) "?([^"\s]+)"? does not)')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_LONGEST = 2000


class QueryRefusedError(InvalidInputError):
    """Raised when a query would do something else than read."""

    code = "query_refused"


class QueryFailedError(InvalidInputError):
    """Raised when the database cannot make sense of a query."""

    code = "query_failed"


class QueryTooLongError(UnavailableError):
    """Raised when a query did not end in its time."""

    code = "query_too_long"


@dataclass(frozen=True)
class Question:
    """A query with what it is given; a parameter is written ``:name`` in the text."""

    text: str
    params: Mapping[str, str] = field(default_factory=dict)
    limit: int = LIMIT
    """The most rows that are wanted."""
    seconds: float = SECONDS
    """How long it may take."""


def ask(ledger: Ledger, question: Question) -> Answer:
    """Answer a query.

    Raises QueryRefusedError, QueryFailedError, QueryTooLongError or QueryTooLargeError. Only on
    PostgreSQL a function that is volatile is refused, by its name in the catalogue, unless it is
    harmless; so are the catalogue's own views, which call such functions.
    """
    query = QueryText(question.text)
    _look_at(query)
    _check_params(query, question.params)
    if ledger.engine.dialect.name == "sqlite":
        return _ask_sqlite(ledger, query, question)
    return _ask_postgresql(ledger, query, question)


def _look_at(query: QueryText) -> None:
    if not query.first_word:
        hint = "`provenote ledger tables` lists what there is."
        raise QueryFailedError("The query is empty.", hint)
    if query.first_word not in _BEGINNINGS:
        raise QueryRefusedError(
            f"The query begins with {query.first_word[:40]}; the ledger can only be read.",
            f"Begin it with {', '.join(_BEGINNINGS[:-1])} or {_BEGINNINGS[-1]}.",
        )
    if query.several:
        raise QueryRefusedError(
            "Something follows after the semicolon; one query is one statement.",
            "Ask one after the other.",
        )
    if query.nested_comments:
        raise QueryRefusedError(
            "A comment begins within a comment.", "Close the one before the other, with */."
        )
    if query.escaped_names:
        raise QueryRefusedError(
            "A name or text is written with escapes (U&\"…\", E'…').",
            "Write names as they are and texts as '…'; chr(10) is a new line on PostgreSQL.",
        )


def _check_params(query: QueryText, params: Mapping[str, str]) -> None:
    missing = [name for name in query.binds if name not in params]
    if missing:
        raise QueryFailedError(
            f"The query names :{missing[0]}, which has no value.",
            f"Give it one: -p {missing[0]}=…",
        )
    extra = [name for name in params if name not in query.binds]
    if extra:
        near = did_you_mean(extra[0], query.binds)
        raise QueryFailedError(f"The query does not name :{extra[0]}.", near)


def _ask_sqlite(ledger: Ledger, query: QueryText, question: Question) -> Answer:
    path = Path(str(ledger.engine.url.database)).absolute()
    until = time.monotonic() + question.seconds
    values = {name: _typed(value) for name, value in question.params.items()}
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            # Also of what is never shown, such as the text that only its length is asked of.
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ANSWER)
            only_read(connection, lambda: time.monotonic() > until)
            cursor = connection.execute(query.text, values)
            return collect(cursor, question.limit)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if "interrupted" in str(error):
            raise _too_long(question) from None
        if "too big" in str(error):
            raise too_long_value("A value of the query has very many") from None
        _fail(str(error))


def _typed(value: str) -> str | int | float:
    """Return what looks like a number as one: SQLite compares a text with none as unequal."""
    if len(value) > 15 or not _NUMBER.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)


def _ask_postgresql(ledger: Ledger, query: QueryText, question: Question) -> Answer:
    connection = ledger.engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        with driver.cursor() as cursor:
            for setting in _settings(question.seconds):
                cursor.execute(setting)
            _refuse_volatile(cursor, query)
            _refuse_server(cursor, query)
        # A cursor of the server takes nothing but one SELECT: no COPY, no second statement.
        with driver.cursor(name="provenote_query") as cursor:
            cursor.execute(query.with_binds(lambda name: f"%({name})s"), dict(question.params))
            return collect(cursor, question.limit)
    except ledger.engine.dialect.loaded_dbapi.Error as error:
        _fail_postgresql(error, question)
    finally:
        connection.close()  # which rolls back, and so undoes the settings as well


def _settings(seconds: float) -> Iterable[str]:
    yield "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
    yield f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}"
    yield "SET LOCAL TIME ZONE 'UTC'"
    # Otherwise a backslash would hide from us where a text ends.
    yield "SET LOCAL standard_conforming_strings = on"


def _refuse_volatile(cursor: Any, query: QueryText) -> None:
    """Refuse functions that may change something: read files, end sessions, take locks."""
    cursor.execute(
        "SELECT proname FROM pg_proc WHERE provolatile = 'v'"
        " AND proname = ANY(%s) AND proname <> ALL(%s) ORDER BY proname",
        (sorted(query.called), list(_HARMLESS)),
    )
    if found := cursor.fetchone():
        raise QueryRefusedError(
            f"The function {found[0]} may do something else than read the ledger.",
            "Use functions that only compute.",
        )


def _refuse_server(cursor: Any, query: QueryText) -> None:
    """Refuse what tells of the server instead of the ledger.

    Its views call functions that read its files, which nothing in the text of a query shows.
    """
    called = [name for name in query.called if name in _TELLING or _RUNS_QUERIES.fullmatch(name)]
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace"
        " AND relname = ANY(%s) AND (relkind = 'v' OR relname = ANY(%s)) ORDER BY relname",
        (sorted(query.names), list(_SECRETS)),
    )
    found = [*sorted(called), *(name for (name,) in cursor.fetchall())]
    if found:
        raise QueryRefusedError(
            f"{found[0]} tells of the database server, not of the ledger.",
            f"The views of the ledger are: {', '.join(VIEWS)}.",
        )


def _fail_postgresql(error: Exception, question: Question) -> NoReturn:
    state = getattr(error, "sqlstate", None)
    if state == "57014":
        raise _too_long(question) from None
    if state is None:
        raise UnavailableError(
            f"The ledger does not answer: {str(error).strip()[:_LONGEST]}", "Ask again."
        ) from None
    diagnosis: Any = getattr(error, "diag", None)
    _fail(diagnosis.message_primary or str(error), writes=state == "25006")


def _fail(said: str, *, writes: bool = False) -> NoReturn:
    if writes or re.search(
        r"not authorized|authorization denied|readonly|prohibited|data-modifying", said
    ):
        raise QueryRefusedError(
            f"The query may only read: {said[:_LONGEST]}.", "`provenote ledger` never writes."
        ) from None
    raise QueryFailedError(f"The query failed: {said[:_LONGEST]}.", _hint(said)) from None


def _hint(said: str) -> str:
    found = _UNKNOWN.search(said)
    if found is None:
        return "docs/ledger.md describes the views; parameters are written as :name."
    kind, name = found[1] or found[3], (found[2] or found[4]).rpartition(".")[2]
    if kind == "column":
        known = dict.fromkeys(column for view in VIEWS.values() for column in view.columns)
        return did_you_mean(name, known) or "`provenote ledger tables` lists all columns."
    return did_you_mean(name, VIEWS) or f"The views are: {', '.join(VIEWS)}."


def _too_long(question: Question) -> QueryTooLongError:
    return QueryTooLongError(
        f"The query did not end within {question.seconds:g} s.",
        "Narrow it, by project or by time; --seconds grants more.",
    )
