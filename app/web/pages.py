"""What every page needs: the list of projects, addresses of static files, error pages."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from app.current import installation
from app.errors import http_status, problems_of
from app.json_answers import RETRY_SECONDS
from app.web.coded import coded
from provenance.errors import ProvenoteError
from provenance.ledger.finding import DeletedRunError
from provenance.ledger.queries.projects import project_names

_PAGES = (400, 404, 409, 410, 500, 503)
"""Errors that have a page of their own; the others have that of 400 or 500."""
STATIC = Path(__file__).parent / "static"


def install(app: Flask) -> None:
    """Give the templates of *app* what the layout needs, and its errors their pages."""
    app.jinja_env.globals["static_url"] = static_url
    app.jinja_env.filters["coded"] = coded
    app.context_processor(_layout)
    app.register_error_handler(ProvenoteError, _our_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(InterfaceError, _database_error)
    app.register_error_handler(Exception, _unforeseen)


def static_url(name: str) -> str:
    """Return the address of a static file; it changes with the content, so browsers keep it."""
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _layout() -> dict[str, Any]:
    return {"menu_projects": _project_names}


def _project_names() -> list[str]:
    """Return the names for the menu; none where the ledger is silent, which the page tells."""
    try:
        with installation().ledger.reading() as session:
            return [*project_names(session)]
    except SQLAlchemyError:
        return []


def error_page(
    status: int,
    message: str,
    hint: str = "",
    problems: list[dict[str, str]] | None = None,
    deletion: str | None = None,
) -> ResponseReturnValue:
    """Return the page that tells what happened, what is safe and what to do.

    Where a *deletion* is why, it can be undone there.
    """
    name = status if status in _PAGES else (400 if status < 500 else 500)
    # A page that tells of a silent ledger must not ask it for the menu.
    menu = {"menu_projects": list} if status >= 500 else {}
    page = render_template(
        f"errors/{name}.html",
        **menu,
        status=status,
        message=message,
        hint=hint,
        problems=problems or [],
        deletion=deletion,
        path=request.path,
    )
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    return page, status, headers


def _our_error(error: ProvenoteError) -> ResponseReturnValue:
    deletion = error.deletion if isinstance(error, DeletedRunError) else None
    told = (error.message, error.hint, problems_of(error), deletion)
    return error_page(http_status(error), *told)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is not None and error.code < 400:
        return error
    if error.code == 404:
        return error_page(404, "There is no page at this address.")
    return error_page(error.code or 500, error.description or error.name)


def _database_error(error: OperationalError | InterfaceError) -> ResponseReturnValue:
    current_app.logger.error("The ledger does not answer.", exc_info=error)
    return error_page(503, "The ledger, the database behind these pages, does not answer.")


def _unforeseen(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("No page for %s.", request.path, exc_info=error)
    return error_page(500, "A mistake of provenote's own stopped this page.")
