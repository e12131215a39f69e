"""The pages of datasets: what is current, and how it came to be so."""

from flask import render_template, request, url_for

from app.current import actor, installation
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
from provenance.datasets.moves import Move, rollback_target
from provenance.datasets.names import DATA, MODEL, check_partition
from provenance.datasets.pins import pins_of
from provenance.datasets.publish import pointer_of
from provenance.datasets.resolve import Reference
from provenance.datasets.snapshots import snapshots_of
from provenance.ledger.columns import utc_now
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
        found = require_partition(session, Reference(DATA, dataset, check_partition(partition)))
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
            me=actor(),
            now=utc_now(),
            formats=_formats(found),
            metrics=metrics_of(found),
            metadata=metadata_texts(found),
        )


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
