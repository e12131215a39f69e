"""Processes that work beside a test, forked where what they import is there already."""

import contextlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.sqlite.pysqlite",
        "tests.provenance.datasets.crowd",
        "tests.provenance.flight",
    ]
)
LONG = 60.0


def start(work: Callable[..., None], *arguments: Any) -> Any:
    """Start a process that does *work*."""
    process = _context.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


class Sibling:
    """A process whose work is given a line to talk over: ``work(line, *arguments)``."""

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self.line, theirs = _context.Pipe()
        with theirs:
            self.process = start(work, theirs, *arguments)

    @property
    def pid(self) -> int:
        found: int = self.process.pid
        return found

    def said(self) -> str:
        """Wait for the next word; return an empty one if there will be none."""
        return word_of(self.line)

    def go(self) -> None:
        """Let it go on; that it has ended is no matter."""
        with contextlib.suppress(OSError):
            self.line.send("go")

    def rest(self) -> list[str]:
        """Let it do all that it has to, and return what it says from here on."""
        self.go()
        words = list(iter(self.said, ""))
        self.process.join(LONG)
        assert self.process.exitcode == 0
        return words

    def kill(self) -> None:
        """End it at once; that it had ended already is no matter."""
        self.process.kill()
        self.process.join()
        self.line.close()


def word_of(line: Connection) -> str:
    """Return the next word of the other end, or an empty one where that is closed."""
    try:
        assert line.poll(LONG), "nothing was said for a minute"
        word: str = line.recv()
    except (EOFError, ConnectionResetError):
        return ""
    return word
