"""The entrance of the interface: its blueprint, its errors, its OpenAPI document."""

from collections.abc import Iterable
from functools import cache, partial
from typing import Any, NoReturn

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError

from app.api.v1.models import ErrorAnswer
from app.errors import RefusedError, error_object
from app.intake.payload import read_json_object
from app.json_answers import answer_with_json, json_answer
from app.web.guard import UNKNOWN, UPLOADS
from provenance.errors import InvalidInputError, NotFoundError
from provenance.text import storable

PREFIX = "/api/v1"
_VALIDATION_HOOK = "validation_error_callback"
_ERRORS = (400, 404, 415, 503)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class UnknownAddressError(NotFoundError):
    """Raised when the interface has nothing at an address."""

    code = "unknown_address"


def make_blueprint(name: str) -> APIBlueprint:
    """Return a blueprint of the interface, which answers every error in JSON."""
    blueprint = APIBlueprint(
        name,
        __name__,
        url_prefix=PREFIX,
        abp_responses=dict.fromkeys(_ERRORS, ErrorAnswer),
    )
    blueprint.record(_exempt_from_csrf)
    blueprint.before_request(_check_body)
    answer_with_json(blueprint)
    return blueprint


def serve(app: Flask, blueprints: Iterable[APIBlueprint]) -> None:
    """Register *blueprints*, and the document that describes them, with *app*."""
    # The library looks for this function at whatever application it serves.
    setattr(app, _VALIDATION_HOOK, invalid)
    parts = tuple(blueprints)
    for blueprint in parts:
        app.register_blueprint(blueprint)
    # Made when it is first asked for: few do, and all would wait for it.
    document = cache(partial(_document, parts))
    rest = Blueprint("api", __name__, url_prefix=PREFIX)
    rest.record(_exempt_from_csrf)
    rest.add_url_rule("/openapi.json", "document", lambda: jsonify(document()), methods=["GET"])
    rest.add_url_rule("/<path:rest>", "unknown", _unknown_address, methods=_METHODS)
    app.register_blueprint(rest)


def _exempt_from_csrf(state: BlueprintSetupState) -> None:
    """Let calls in without a CSRF token: foreign pages cannot send their content type."""
    if (protection := state.app.extensions.get("csrf")) is not None:
        protection.exempt(state.blueprint)


def _check_body() -> None:
    """Refuse bodies that are not well-formed before the library parses them."""
    if request.endpoint in UPLOADS:
        return
    if request.method == "POST" and (body := request.get_data()):
        told = read_json_object(body)
        if storable(told) != told:
            refuse("The body holds a NUL character, which some databases cannot keep.")


def _unknown_address(rest: str) -> Response | tuple[Response, int]:
    if allowed := _methods_here():
        known = ", ".join(allowed)
        answer = json_answer(
            RefusedError(
                405,
                "method_not_allowed",
                f"{PREFIX}/{rest[:80]} cannot be asked with {request.method}.",
                f"It takes {known}; {PREFIX}/openapi.json lists what there is.",
            )
        )
        answer.headers["Allow"] = known
        return answer
    error = UnknownAddressError(
        f"There is nothing at {PREFIX}/{rest[:80]}.", f"{PREFIX}/openapi.json lists what there is."
    )
    return jsonify(error_object(error)), 404


def _methods_here() -> list[str]:
    """Return the methods that something answers to at the address of the request."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return []
    return [one for one in _METHODS if adapter.match(method=one)[0] != UNKNOWN]


def _document(blueprints: Iterable[APIBlueprint]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the routes of *blueprints*."""
    library = OpenAPI(
        "provenote",
        info=Info(title="provenote", version="1"),
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=ErrorAnswer,
    )
    for blueprint in blueprints:
        library.register_api(blueprint)
    document: dict[str, Any] = library.api_doc
    return document


def invalid(error: ValidationError) -> Response:
    """Return the answer to a path, query or body that its model refuses."""
    problems = [
        {"where": ".".join(map(str, found["loc"])) or "body", "message": found["msg"]}
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    message = "; ".join(f"{problem['where']}: {problem['message']}" for problem in problems)
    answer = error_object(InvalidInputError(f"{message}.", f"See {PREFIX}/openapi.json."))
    answer["error"]["problems"] = problems
    response = jsonify(answer)
    response.status_code = 400
    return response


def refuse(message: str, hint: str = "") -> NoReturn:
    """Answer 400 with *message*."""
    raise RefusedError(400, "invalid", message, hint)
