"""Errors as answers in JSON, for programs that ask over HTTP."""

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from app.errors import error_object, http_status
from provenance.errors import ProvenoteError, UnavailableError

RETRY_SECONDS = 5


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
