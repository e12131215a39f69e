"""Parsing Python, by one thread at a time.

CPython counts how deep a tree is in a place that all threads share, and raises SystemError where
two of them build trees at once ("AST constructor recursion depth mismatch").
"""

import ast
import os
import threading
from typing import Any, Literal, overload

_lock = threading.Lock()


@overload
def parse(source: str | bytes, filename: str = "<unknown>") -> ast.Module: ...


@overload
def parse(source: str | bytes, *, mode: Literal["eval"]) -> ast.Expression: ...


def parse(source: str | bytes, filename: str = "<unknown>", mode: str = "exec") -> Any:
    """Return what `ast.parse` does, and raise what it raises."""
    with _lock:
        return ast.parse(source, filename, mode)


def _begin_anew() -> None:
    global _lock  # noqa: PLW0603 - a child has no other threads, and perhaps a lock of one
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_begin_anew)
