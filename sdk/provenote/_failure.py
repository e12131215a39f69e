"""What went wrong in a stage, told in terms of the user's own files."""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class StageError(Exception):
    """Raised when a stage cannot be loaded, called, or its result be taken.

    ``kind`` is import, arguments, bad_output or no_output.
    """

    def __init__(self, kind: str, message: str, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.where = where


@dataclass(frozen=True)
class Failure:
    """An error of the user's code, as the parent records it."""

    kind: str
    message: str
    where: str
    traceback: str
    hint: str


def describe(error: BaseException, search: Sequence[str], kind: str = "exception") -> Failure:
    """Describe *error* with the frames that lie in the checkout only."""
    if isinstance(error, StageError):
        return Failure(error.kind, error.message, error.where, "", error.hint)
    summary = traceback.TracebackException.from_exception(error)
    last = next(
        (f for f in reversed(summary.stack) if inside(f.filename, search)),
        None,
    )
    where = f"{inside(last.filename, search)}:{last.lineno}" if last else ""
    if isinstance(error, SyntaxError) and inside(error.filename or "", search):
        where = f"{inside(error.filename or '', search)}:{error.lineno}"
    _trim(summary, search)
    return Failure(kind, _headline(summary), where, "".join(summary.format()), _hint(error))


def _headline(summary: traceback.TracebackException) -> str:
    # A syntax error comes with its file and source before the headline, both indented.
    lines = "".join(summary.format_exception_only()).splitlines()
    return next(line for line in lines if line and not line.startswith(" "))


def inside(filename: str, search: Sequence[str]) -> str:
    """Return *filename* relative to the checkout; empty when it lies elsewhere."""
    path = Path(filename)
    # An environment may live inside the checkout; its packages are not the user's files.
    if not path.is_absolute() or path.is_relative_to(sys.prefix):
        return ""
    for folder in sorted(search, key=len):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return ""


def _trim(summary: traceback.TracebackException, search: Sequence[str]) -> None:
    frames = [frame for frame in summary.stack if inside(frame.filename, search)]
    summary.stack = traceback.StackSummary.from_list(
        (inside(f.filename, search), f.lineno or 0, f.name, f.line) for f in frames
    )
    linked = [summary.__cause__, summary.__context__, *(summary.exceptions or ())]
    for other in linked:
        if other is not None:
            _trim(other, search)


def _hint(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "A stage ends by returning its output; leave sys.exit() out."
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"Add the package that provides {error.name.partition('.')[0]!r} to the project's "
            "requirements, or the file to the repository."
        )
    return ""
