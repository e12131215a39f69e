"""What SQLite is let do when nothing but reading is wanted: of a source, and of the ledger."""

import sqlite3
from collections.abc import Callable

STEPS = 20_000
"""How many instructions SQLite executes between two looks at the clock: a few milliseconds."""
_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_TRANSACTIONS = frozenset({sqlite3.SQLITE_TRANSACTION})


def only_read(
    connection: sqlite3.Connection, over: Callable[[], bool], *, transactions: bool = False
) -> None:
    """Let the connection do nothing but read: no ATTACH, no PRAGMA, no VACUUM INTO a file.

    A statement is interrupted once *over* says so. *transactions*: it may begin and end some.
    """
    allowed = _READING | _TRANSACTIONS if transactions else _READING

    def judge(action: int, first: str | None, second: str | None, *_: object) -> int:
        del first
        if action == sqlite3.SQLITE_FUNCTION and second == "load_extension":
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.set_authorizer(judge)
    connection.set_progress_handler(lambda: int(over()), STEPS)
