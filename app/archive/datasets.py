"""The pages of datasets: what is current, how it came to be so, and moving it."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.current import actor, installation
from app.errors import RefusedError
from provenance.datasets.forms import FORMATS, format_of
from provenance.datasets.history import (
    batches,
    dataset_row,
    events,
    partitions,
    times_current,
    used_by,
)
from provenance.datasets.history import datasets as all_datasets
from provenance.datasets.lookup import require_batch, require_dataset, require_partition
from provenance.datasets.models import metadata_texts, metrics_of
from provenance.datasets.moves import Move, promote, rollback, rollback_target
from provenance.datasets.names import DATA, MODEL
from provenance.datasets.pins import pins_of
from provenance.datasets.publish import pointer_of
from provenance.datasets.resolve import Reference
from provenance.datasets.snapshots import snapshots_of
from provenance.ledger.data_tables import Batch
from provenance.ledger.queries.cases import case_names

LISTED = 100
_TRAIL = 50


def datasets() -> str:
    """Show all datasets."""
    with installation().ledger.reading() as session:
        return render_template("archive/datasets.html", rows=all_datasets(session))


def dataset(dataset: str) -> str:
    """Show what is current in a dataset, or one of its partitions with ``?partition=``."""
    if (partition := request.args.get("partition")) is not None:
        return _partition(dataset, partition)
    before = request.args.get("before")
    with installation().ledger.reading() as session:
        found = require_dataset(session, DATA, dataset)
        rows = partitions(session, found, LISTED + 1, before)
        shown = rows[:LISTED]
        return render_template(
            "archive/dataset.html",
            dataset=dataset_row(session, found),
            rows=shown,
            before=before,
            older=shown[-1].partition.name if len(rows) > LISTED else None,
            columns=next((row.batch.columns for row in shown if row.batch), None),
            trail=events(session, found, None, _TRAIL),
            snapshots=snapshots_of(session, found),
        )


def _partition(dataset: str, partition: str) -> str:
    before = request.args.get("before", type=int)
    with installation().ledger.reading() as session:
        found = require_partition(session, Reference(DATA, dataset, partition))
        rows = batches(session, found, LISTED + 1, before)
        pointer = pointer_of(session, DATA, dataset, partition)
        return render_template(
            "archive/dataset_partition.html",
            partition=found,
            pointer=pointer,
            rows=rows[:LISTED],
            older=rows[LISTED - 1].number if len(rows) > LISTED else None,
            current=next((one for one in rows if pointer and one.id == pointer.batch_id), None),
            target=rollback_target(session, Move(dataset, "", "", partition=partition)),
            trail=events(session, found.dataset, found, _TRAIL),
        )


def batch(batch_id: str) -> str:
    """Show a batch: what is in it, how it came to be, and who stands on it."""
    with installation().ledger.reading() as session:
        found = require_batch(session, batch_id)
        of = found.partition
        runs = used_by(session, found)
        return render_template(
            "archive/dataset_batch.html",
            batch=found,
            of=of,
            is_model=of.dataset.kind == MODEL,
            home=home_of(found),
            pointer=pointer_of(session, of.dataset.kind, of.dataset.name, of.name),
            times=times_current(session, found),
            runs=runs,
            case_name=case_names(session, [(run.project_id, run.report) for run in runs]),
            pins=pins_of(session, found.id),
            formats=_formats(found),
            metrics=metrics_of(found),
            metadata=metadata_texts(found),
        )


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
    partition = request.form.get("partition", "")
    wanted = Move(dataset, actor(), _reason(), partition=partition, seen=_seen())
    with installation().ledger.writing() as session:
        rollback(session, wanted)
    return redirect(url_for("archive.dataset", dataset=dataset, partition=partition), 303)


def roll_back_model(model: str) -> Response:
    """Promote the version of a model again that was so before; go back to its page."""
    with installation().ledger.writing() as session:
        rollback(session, Move(model, actor(), _reason(), MODEL, seen=_seen()))
    return redirect(url_for("archive.model", model=model), 303)


def home_of(found: Batch) -> str:
    """Return the address of the page that lists *found* among its like."""
    of = found.partition
    if of.dataset.kind == MODEL:
        return url_for("archive.model", model=of.dataset.name)
    return url_for("archive.dataset", dataset=of.dataset.name, partition=of.name)


def _formats(found: Batch) -> list[str]:
    """Return the formats that the batch can be downloaded in beside the one it is kept in."""
    kept = format_of(found.media_type)
    return [word for word in FORMATS if word != kept] if found.columns is not None else []


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not reason:
        raise RefusedError(
            400, "reason", "No reason was given.", "Say why in a few words: it stays in the log."
        )
    return reason[:2000]


def _seen() -> int | None:
    return request.form.get("seen", type=int)
