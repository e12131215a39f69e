"""The run object: what the interface for programs and the command line say of a run."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.progress import progress_object
from pipeline.asked import data_wanted
from provenance.ledger.finding import no_run
from provenance.ledger.queries.figures import FigureRow
from provenance.ledger.queries.progress import Progress
from provenance.ledger.tables import Check, Metric, Run, RunInput

WHOLE: tuple[ORMOption, ...] = (
    selectinload(Run.evaluation),  # joined, SQLite would go through all evaluations
    selectinload(Run.metrics),
    selectinload(Run.checks),
    selectinload(Run.inputs),
)
"""Loads everything that a run object tells, so that it can be made outside the session."""


def whole_run(session: Session, run_id: str) -> Run:
    """Return a run with everything that its object tells; raise UnknownRunError."""
    run = session.get(Run, run_id, options=WHOLE, populate_existing=True)
    if run is None:
        raise no_run(session, run_id)
    return run


def run_object(run: Run, base_url: str, progress: Progress | None) -> dict[str, Any]:
    """Return *run* (loaded by `whole_run`) in JSON form, with links below *base_url*.

    *progress* is how far it is, where it has not ended.
    """
    return {
        "id": run.id,
        "project": run.project.name,
        "report": run.report,
        "status": str(run.status),
        "verdict": run.verdict,
        "commit": run.commit_sha,
        "branch": run.branch,
        "params": run.params,
        "trigger": run.evaluation.trigger,
        "actor": run.evaluation.actor,
        "created_at": instant(run.created_at),
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at),
        "key": run.key,
        "record": run.record,
        "reused": run.reused,
        "kernel": run.kernel,
        "proof": run.proof,
        "metrics": [_metric(metric) for metric in run.metrics],
        "checks": [_check(check) for check in run.checks],
        "inputs": [_input(found) for found in run.inputs],
        "as_of": instant(data_wanted(run.data).as_of),
        "purpose": run.purpose,
        "again_of": run.again_of,
        "error": run.error,
        "progress": progress_object(progress),
        "links": run_links(run, base_url),
    }


def run_links(run: Run, base_url: str) -> dict[str, str]:
    """Return the addresses that belong to *run*; those of its files once there are such."""
    base = base_url.rstrip("/")
    page = f"{base}/runs/{run.id}"
    project, report = quote(run.project.name, safe=""), quote(run.report, safe="")
    links = {
        "self": f"{base}/api/v1/runs/{run.id}",
        "page": page,
        "evaluation": f"{base}/evaluations/{run.evaluation_id}",
        "history": f"{base}/projects/{project}/reports/{report}",
    }
    files = {
        "report": run.html,
        "notebook": run.notebook,
        "provenance": run.record,
        "log": run.log,
    }
    return links | {name: f"{page}/{name}" for name, digest in files.items() if digest}


def figure_object(run_id: str, figure: FigureRow, base_url: str) -> dict[str, Any]:
    """Return a figure of a run's page in JSON form, with links below *base_url*."""
    base, place = base_url.rstrip("/"), f"{run_id}/figures/{figure.number}"
    told = ("slot", "kind", "heading", "sha256", "size", "media_type", "cell")
    links = {"page": f"{base}/runs/{place}", "content": f"{base}/figures/{figure.sha256}"}
    return {"id": place, **{name: getattr(figure, name) for name in told}, "links": links}


def instant(value: datetime | None) -> str | None:
    """Return an instant as ISO 8601 in UTC, ending in ``Z``."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "value": metric.value,
        "unit": metric.unit,
        "better": metric.better,
    }


def _check(check: Check) -> dict[str, Any]:
    return {"ok": check.ok, "message": check.message}


def _input(found: RunInput) -> dict[str, Any]:
    return {
        "name": found.name,
        "sha256": found.sha256,
        "size": found.size,
        "media_type": found.media_type,
        "producer": found.producer,
        "producer_key": found.producer_key,
        "batch": found.batch,
    }
