"""The pages of models: versions, which of them is promoted, metrics from version to version."""

from collections.abc import Sequence

from flask import render_template
from werkzeug.wrappers import Response

from app.archive.sparkline import axis_data, trend_view
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
from provenance.ledger.queries.trends import Line, Trend, TrendCommit, Trends

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
        trends = _trends(names, rows[::-1])
        return render_template(
            "archive/model.html",
            model=dataset_row(session, inside.dataset),
            pointer=pointer_of(session, MODEL, model),
            rows=rows,
            columns=names[:COLUMNS],
            metrics={row.id: metrics_of(row) for row in rows},
            metadata={row.id: metadata_texts(row) for row in rows},
            trends=[trend_view(trend, trends) for trend in trends.metrics],
            axis=axis_data(trends, "/batches/"),
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


def _trends(names: Sequence[str], rows: Sequence[Batch]) -> Trends:
    """Return metrics over the versions *rows*, oldest first; a point opens its version."""
    metrics = [metrics_of(row) for row in rows]
    return Trends(
        tuple(TrendCommit(f"v{row.number}", _subject(row)) for row in rows),
        (Line("value", [row.id for row in rows], []),),
        tuple(Trend(name, None, None, ([one.get(name) for one in metrics],)) for name in names),
    )


def _subject(row: Batch) -> str:
    return f"by {row.actor} on {row.created_at:%Y-%m-%d}"
