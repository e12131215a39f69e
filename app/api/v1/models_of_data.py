"""Models: their versions, which of them is promoted, their packages."""

from flask import Response, jsonify
from sqlalchemy.orm import Session

from app.api.v1.data_models import (
    EventObject,
    ModelList,
    ModelPath,
    MoveBody,
    PromoteBody,
    VersionObject,
    VersionPath,
    WholeModel,
)
from app.api.v1.entrance import make_blueprint
from app.current import actor, installation
from app.data_download import model_package
from app.data_object import event_object, model_object, version_object
from provenance.datasets.history import (
    batches,
    dataset_row,
    datasets,
    event_row,
    events,
    promoted_versions,
)
from provenance.datasets.lookup import require_partition
from provenance.datasets.moves import Move, promote, rollback
from provenance.datasets.names import MAIN, MODEL
from provenance.datasets.publish import pointer_of
from provenance.datasets.resolve import Reference, resolve

blueprint = make_blueprint("api_models")


@blueprint.get("/models", responses={200: ModelList})
def list_models() -> Response:
    """List all models."""
    base = installation().base_url
    with installation().ledger.reading() as session:
        promoted = promoted_versions(session)
        rows = datasets(session, MODEL)
    return jsonify({"items": [model_object(row, promoted.get(row.name), base) for row in rows]})


@blueprint.get("/models/<string:model>", responses={200: WholeModel})
def show_model(path: ModelPath) -> Response:
    """Show a model with its newest versions and how they were promoted."""
    base = installation().base_url
    with installation().ledger.reading() as session:
        inside = require_partition(session, Reference(MODEL, path.model))
        row = dataset_row(session, inside.dataset)
        current = _promoted(session, path.model)
        versions = batches(session, inside)
        moved = events(session, inside.dataset)
    latest = next((one.number for one in versions if one.id == current), None)
    told = model_object(row, latest, base)
    told["items"] = [version_object(one, one.id == current, base) for one in versions]
    told["events"] = [event_object(one) for one in moved]
    return jsonify(told)


@blueprint.get("/models/<string:model>/latest", responses={200: VersionObject})
def show_latest(path: ModelPath) -> Response:
    """Show the version of a model that is promoted."""
    return _version(path.model, None)


@blueprint.get("/models/<string:model>/versions/<int:version>", responses={200: VersionObject})
def show_version(path: VersionPath) -> Response:
    """Show one version of a model."""
    return _version(path.model, path.version)


@blueprint.get("/models/<string:model>/versions/<int:version>/package")
def download_package(path: VersionPath) -> Response:
    """Download a version: object, metadata, metrics and record in one zip."""
    with installation().ledger.reading() as session:
        batch = resolve(session, Reference(MODEL, path.model, version=path.version))[0]
    return model_package(batch)


@blueprint.post("/models/<string:model>/promote", responses={200: EventObject})
def promote_version(path: ModelPath, body: PromoteBody) -> Response:
    """Promote a version of a model."""
    with installation().ledger.writing() as session:
        event = promote(session, _move(path, body), body.version)
        return jsonify(event_object(event_row(session, MAIN, event)))


@blueprint.post("/models/<string:model>/rollback", responses={200: EventObject})
def roll_back(path: ModelPath, body: MoveBody) -> Response:
    """Promote the version again that was so before the present one."""
    with installation().ledger.writing() as session:
        event = rollback(session, _move(path, body))
        return jsonify(event_object(event_row(session, MAIN, event)))


def _version(model: str, version: int | None) -> Response:
    with installation().ledger.reading() as session:
        batch = resolve(session, Reference(MODEL, model, version=version))[0]
        current = _promoted(session, model)
    return jsonify(version_object(batch, batch.id == current, installation().base_url))


def _promoted(session: Session, model: str) -> str | None:
    pointer = pointer_of(session, MODEL, model)
    return pointer.batch_id if pointer is not None else None


def _move(path: ModelPath, body: MoveBody) -> Move:
    return Move(path.model, actor(), body.reason, MODEL, seen=body.seen)
