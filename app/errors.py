"""What an error of ours means to the outside: the HTTP answer and the exit status."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from provenance.errors import (
    ConflictingError,
    InvalidInputError,
    NotFoundError,
    ProvenoteError,
    UnavailableError,
)

_ANSWERS: tuple[tuple[type[ProvenoteError], int, int], ...] = (
    (InvalidInputError, 400, 2),
    (NotFoundError, 404, 2),
    (UnavailableError, 503, 3),
    (ConflictingError, 409, 3),
    (ProvenoteError, 500, 3),
)
RETRY_SECONDS = 5


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


def answer_with_json(blueprint: Blueprint) -> None:
    """Let every error of *blueprint*'s views become a JSON answer."""
    blueprint.register_error_handler(ProvenoteError, json_answer)
    blueprint.register_error_handler(HTTPException, _http_answer)
    blueprint.register_error_handler(OperationalError, _database_answer)
    blueprint.register_error_handler(InterfaceError, _database_answer)
    blueprint.register_error_handler(Exception, _unforeseen_answer)


def json_answer(error: ProvenoteError) -> Response:
    """Return the JSON answer to *error*."""
    status = http_status(error)
    response = jsonify(error_object(error))
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _http_answer(error: HTTPException) -> Response:
    code = (error.name or "error").lower().replace(" ", "_")
    response = jsonify(
        {"error": {"code": code, "message": error.description or error.name, "hint": ""}}
    )
    response.status_code = error.code or 500
    return response


def _database_answer(error: OperationalError | InterfaceError) -> Response:
    current_app.logger.error("The ledger does not answer.", exc_info=error)
    return json_answer(
        UnavailableError("The ledger does not answer; nothing was written.", "Send it again.")
    )


def _unforeseen_answer(error: Exception) -> Response:
    current_app.logger.error("No answer for %s.", request.path, exc_info=error)
    return json_answer(ProvenoteError("A mistake of provenote's own stopped this request."))
