"""Batches by their id: what they are, their content, holding on to them."""

from typing import Any

from flask import Response, jsonify

from app.api.v1.data_models import (
    BatchPath,
    ContentQuery,
    EventObject,
    MoveBody,
    PinBody,
    PinObject,
    WholeBatch,
)
from app.api.v1.entrance import make_blueprint
from app.current import actor, installation
from app.data_download import batch_content
from app.data_object import batch_object, event_object, pin_object
from provenance.datasets.history import event_row, times_current, used_by
from provenance.datasets.instants import read_end
from provenance.datasets.lookup import require_batch
from provenance.datasets.moves import Move, promote
from provenance.datasets.pins import pin, pins_of, unpin
from provenance.datasets.publish import pointer_of
from provenance.ledger.queries.runs import RunRow

blueprint = make_blueprint("api_batches")


@blueprint.get("/batches/<string:batch_id>", responses={200: WholeBatch})
def show_batch(path: BatchPath) -> Response:
    """Show a batch: when it was current, which runs stand on it, who holds it."""
    with installation().ledger.reading() as session:
        batch = require_batch(session, path.batch_id)
        of = batch.partition
        pointer = pointer_of(session, of.dataset.kind, of.dataset.name, of.name)
        moves = [event_row(session, of.name, one) for one in times_current(session, batch)]
        runs = used_by(session, batch)
        pins = pins_of(session, batch.id)
    told: dict[str, Any] = batch_object(batch, installation().base_url)
    told["current"] = pointer is not None and pointer.batch_id == batch.id
    told["published"] = [event_object(row) for row in moves]
    told["used_by"] = [_run(run) for run in runs]
    told["pins"] = [pin_object(one) for one in pins]
    return jsonify(told)


def _run(run: RunRow) -> dict[str, Any]:
    page = f"{installation().base_url.rstrip('/')}/runs/{run.id}"
    return {
        "id": run.id,
        "project": run.project,
        "report": run.report,
        "params": run.params,
        "verdict": run.verdict,
        "links": {"page": page},
    }


@blueprint.get("/batches/<string:batch_id>/content")
def show_content(path: BatchPath, query: ContentQuery) -> Response:
    """Download the file of a batch, as it is kept or in the format asked for."""
    with installation().ledger.reading() as session:
        batch = require_batch(session, path.batch_id)
    return batch_content(batch, query.format)


@blueprint.post("/batches/<string:batch_id>/publish", responses={200: EventObject})
def publish_batch(path: BatchPath, body: MoveBody) -> Response:
    """Make a batch the current one of its partition."""
    with installation().ledger.writing() as session:
        batch = require_batch(session, path.batch_id)
        of = batch.partition
        wanted = Move(of.dataset.name, actor(), body.reason, of.dataset.kind, of.name, body.seen)
        event = promote(session, wanted, batch.id)
        return jsonify(event_object(event_row(session, of.name, event)))


@blueprint.post("/batches/<string:batch_id>/pin", responses={200: PinObject})
def pin_batch(path: BatchPath, body: PinBody) -> Response:
    """Hold on to a batch so that nothing collects it, or let go of it."""
    until = read_end(body.until) if body.until is not None else None
    with installation().ledger.writing() as session:
        batch = require_batch(session, path.batch_id)
        held = pin(session, batch.id, actor(), body.reason, until) if body.pinned else None
        if held is None:
            unpin(session, batch.id, actor())
            return jsonify({"target": batch.id, "holder": actor(), "pinned": False})
        return jsonify(pin_object(held) | {"pinned": True})
