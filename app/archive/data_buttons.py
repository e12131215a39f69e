"""The buttons of datasets and models: moving what is current, snapshots, holding on to a batch.

Each leads back to the page that it stands on, which shows what has come of it.
"""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from app.archive.datasets import home_of
from app.archive.pin_form import LONGEST_REASON, pin_asked
from app.current import actor, installation
from app.errors import RefusedError
from provenance.datasets.lookup import require_batch
from provenance.datasets.moves import Move, promote, retire, rollback
from provenance.datasets.names import MODEL
from provenance.datasets.pins import pin, unpin
from provenance.datasets.snapshots import make_snapshot


def publish_batch(batch_id: str) -> Response:
    """Make a batch current, or promote a version of a model; go back to where it belongs."""
    with installation().ledger.writing() as session:
        found = require_batch(session, batch_id)
        of = found.partition
        wanted = Move(of.dataset.name, actor(), _reason(), of.dataset.kind, of.name, seen=_seen())
        promote(session, wanted, found.id)
    return redirect(home_of(found), 303)


def roll_back(dataset: str) -> Response:
    """Roll a partition back; go back to its page."""
    wanted = _move(dataset)
    with installation().ledger.writing() as session:
        rollback(session, wanted)
    return _to_partition(wanted)


def retire_partition(dataset: str) -> Response:
    """Let no batch of a partition be current any more; go back to its page."""
    wanted = _move(dataset)
    with installation().ledger.writing() as session:
        retire(session, wanted)
    return _to_partition(wanted)


def roll_back_model(model: str) -> Response:
    """Promote the version of a model again that was so before; go back to its page."""
    with installation().ledger.writing() as session:
        rollback(session, Move(model, actor(), _reason(), MODEL, seen=_seen()))
    return redirect(url_for("archive.model", model=model), 303)


def take_snapshot(dataset: str) -> Response:
    """Keep which batches of a dataset are current, under a name; go back to its page."""
    name = request.form.get("name", "").strip()
    with installation().ledger.writing() as session:
        make_snapshot(session, dataset, name, actor())
    return redirect(url_for("archive.dataset", dataset=dataset, _anchor="snapshots"), 303)


def pin_batch(batch_id: str) -> Response:
    """Hold on to a batch, until a day or for good; go back to its page."""
    reason, ends = pin_asked()
    with installation().ledger.writing() as session:
        pin(session, require_batch(session, batch_id).id, actor(), reason, ends)
    return _to_pins(batch_id)


def unpin_batch(batch_id: str) -> Response:
    """Let go of a batch; go back to its page."""
    with installation().ledger.writing() as session:
        unpin(session, require_batch(session, batch_id).id, actor())
    return _to_pins(batch_id)


def _move(dataset: str) -> Move:
    partition = request.form.get("partition", "")
    return Move(dataset, actor(), _reason(), partition=partition, seen=_seen())


def _to_partition(moved: Move) -> Response:
    address = url_for("archive.dataset", dataset=moved.dataset, partition=moved.partition)
    return redirect(address, 303)


def _to_pins(batch_id: str) -> Response:
    return redirect(url_for("archive.batch", batch_id=batch_id, _anchor="pins"), 303)


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not reason:
        raise RefusedError(
            400, "reason", "No reason was given.", "Say why in a few words: it stays in the log."
        )
    return reason[:LONGEST_REASON]


def _seen() -> int:
    """Return the version that the page showed; without it nobody was ever too late."""
    given = request.form.get("seen", "")
    try:
        return int(given)
    except ValueError:
        raise RefusedError(
            400,
            "seen",
            f"The field seen has to be the version of the pointer that the page showed, "
            f"not {given[:40]!r}.",
            "Load the page again and use its button.",
        ) from None
