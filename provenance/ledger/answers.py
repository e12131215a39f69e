"""What a query of the ledger gave: rows that a person can look at, and no more than that."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provenance.errors import InvalidInputError

LONGEST_VALUE = 1024 * 1024
LARGEST_ANSWER = 64 * 1024 * 1024
_AT_ONCE = 10
"""Rows that are fetched together: so many are in memory before they are measured."""


class QueryTooLargeError(InvalidInputError):
    """Raised when a query gives more than anybody can look at."""

    code = "query_too_large"


@dataclass(frozen=True)
class Answer:
    """The rows that a query gave; instants in UTC as ``2026-03-01 12:00:00.000000``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    """Whether there are rows beyond the limit."""


def collect(cursor: Any, limit: int) -> Answer:
    """Return the first *limit* rows of *cursor*; raise QueryTooLargeError."""
    columns = tuple(str(column[0]) for column in cursor.description or ())
    rows: list[tuple[Any, ...]] = []
    room = LARGEST_ANSWER
    while found := cursor.fetchmany(min(_AT_ONCE, limit + 1 - len(rows))):
        for row in found:
            if len(rows) == limit:
                return Answer(columns, tuple(rows), more=True)
            rows.append(tuple(_plain(value) for value in row))
            room -= _size(columns, rows)
        if room < 0:
            raise QueryTooLargeError(
                f"The first {len(rows)} rows have more than {_mebibytes(LARGEST_ANSWER)}.",
                "Ask for fewer columns, or for fewer rows by --limit.",
            )
    return Answer(columns, tuple(rows), more=False)


def _size(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> int:
    """Return the characters and bytes of the last row, none of which may be too long."""
    sizes = [len(value) if isinstance(value, str | bytes) else 8 for value in rows[-1]]
    for column, size in zip(columns, sizes, strict=True):
        if size > LONGEST_VALUE:
            raise too_long_value(f"Column {column[:60]!r} of row {len(rows)} has {size:,}")
    return sum(sizes)


def too_long_value(found: str) -> QueryTooLargeError:
    """Return the error that tells of a value that nobody can look at, and of a way out."""
    return QueryTooLargeError(
        f"{found} characters or bytes; a value may have {_mebibytes(LONGEST_VALUE)}.",
        "Ask for a part of it, such as substr(error, 1, 1000), or for its length(…).",
    )


def _mebibytes(size: int) -> str:
    return f"{size // 1024**2} MiB"


def _plain(value: Any) -> Any:
    """Return instants and JSON as text, whatever the database."""
    if isinstance(value, datetime):
        instant = value.astimezone(UTC) if value.tzinfo else value
        return instant.strftime("%Y-%m-%d %H:%M:%S.%f")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
