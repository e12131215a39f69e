"""The pages of models: versions, which of them is promoted, metrics from version to version."""

from collections.abc import Sequence

from flask import render_template
from werkzeug.wrappers import Response

from app.archive.sparkline import TrendView, trend_view
from app.current import installation
from app.data_download import model_package
from provenance.datasets.history import batches, dataset_row, events, promoted_versions
from provenance.datasets.history import datasets as all_datasets
from provenance.datasets.lookup import require_batch, require_partition
from provenance.datasets.models import metadata_texts, metrics_of
from provenance.datasets.moves import Move, rollback_target
from provenance.datasets.names import MODEL
from provenance.datasets.publish import pointer_of
from provenance.datasets.resolve import Reference
from provenance.ledger.data_tables import Batch
from provenance.ledger.queries.trends import Point, Series, Trend, TrendCommit
from provenance.ledger.states import Verdict

LISTED = 200
COLUMNS = 4
"""Metrics that the table of versions has a column for; the plots show all."""


def models() -> str:
    """Show all models."""
    with installation().ledger.reading() as session:
        return render_template(
            "archive/models.html",
            rows=all_datasets(session, MODEL),
            promoted=promoted_versions(session),
        )


def model(model: str) -> str:
    """Show the versions of a model and how their metrics moved."""
    with installation().ledger.reading() as session:
        inside = require_partition(session, Reference(MODEL, model))
        rows = batches(session, inside, LISTED)
        names = _metric_names(rows)
        return render_template(
            "archive/model.html",
            model=dataset_row(session, inside.dataset),
            pointer=pointer_of(session, MODEL, model),
            rows=rows,
            columns=names[:COLUMNS],
            metrics={row.id: metrics_of(row) for row in rows},
            metadata={row.id: metadata_texts(row) for row in rows},
            trends=[_trend(name, rows) for name in names],
            target=rollback_target(session, Move(model, "", "", MODEL)),
            trail=events(session, inside.dataset),
        )


def package(batch_id: str) -> Response:
    """Send a version of a model as one zip."""
    with installation().ledger.reading() as session:
        found = require_batch(session, batch_id)
    return model_package(found)


def _metric_names(rows: Sequence[Batch]) -> list[str]:
    """Return the metrics of all versions, those of the newest first."""
    return list(dict.fromkeys(name for row in rows for name in metrics_of(row)))


def _trend(name: str, rows: Sequence[Batch]) -> TrendView:
    """Return a metric over the versions, oldest first; a point opens its version."""
    oldest_first = rows[::-1]
    places = [TrendCommit(f"v{row.number}", _subject(row)) for row in oldest_first]
    points = [
        Point(place, row.id, Verdict.PASSED, metrics_of(row)[name])
        for place, row in enumerate(oldest_first)
        if name in metrics_of(row)
    ]
    view = trend_view(Trend(name, None, None, (Series(name, points),)), places)
    view.data["opens"] = "/batches/"
    return view


def _subject(row: Batch) -> str:
    return f"by {row.actor} on {row.created_at:%Y-%m-%d}"
