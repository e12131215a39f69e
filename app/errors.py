"""What an error of ours means to the outside: the HTTP answer and the exit status."""

from dataclasses import asdict
from typing import Any

from provenance.errors import (
    ConflictingError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    ProvenoteError,
    UnavailableError,
)

_ANSWERS: tuple[tuple[type[ProvenoteError], int, int], ...] = (
    (InvalidInputError, 400, 2),
    (GoneError, 410, 2),
    (NotFoundError, 404, 2),
    (UnavailableError, 503, 3),
    (ConflictingError, 409, 3),
    (ProvenoteError, 500, 3),
)


class RefusedError(InvalidInputError):
    """Raised when a request is refused before its content counts; carries its own status."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


def http_status(error: ProvenoteError) -> int:
    """Return the HTTP status that answers *error*."""
    if isinstance(error, RefusedError):
        return error.status
    return next(status for kind, status, _ in _ANSWERS if isinstance(error, kind))


def exit_status(error: ProvenoteError) -> int:
    """Return the exit status of a command that ended with *error*."""
    return next(status for kind, _, status in _ANSWERS if isinstance(error, kind))


def error_object(error: ProvenoteError) -> dict[str, Any]:
    """Return *error* as JSON: ``{"error": {"code", "message", "hint", "problems"?}}``."""
    content: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
    }
    if problems := problems_of(error):
        content["problems"] = problems
    return {"error": content}


def problems_of(error: ProvenoteError) -> list[dict[str, str]]:
    """Return the single problems that *error* is made of, where it is made of several."""
    problems: tuple[Any, ...] = getattr(error, "problems", ())
    return [{name: str(text) for name, text in asdict(problem).items()} for problem in problems]
