"""Whether this process is alive, and whether it could answer a page."""

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.current import installation
from provenance.ledger.tables import Project

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process answers; it asks nothing else."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether the ledger and the store answer, with 503 where one does not."""
    found = {"ledger": _ledger_answers(), "store": _store_answers()}
    ready = all(found.values())
    state = {name: "ok" if works else "does not answer" for name, works in found.items()}
    return jsonify({"ready": ready, **state}), 200 if ready else 503


def _ledger_answers() -> bool:
    try:
        with installation().ledger.reading() as session:
            session.scalar(select(Project.id).limit(1))
    except SQLAlchemyError as error:
        current_app.logger.warning("The ledger does not answer.", exc_info=error)
        return False
    return True


def _store_answers() -> bool:
    root = installation().store.root
    return root.is_dir() or not root.exists()
