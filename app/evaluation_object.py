"""The evaluation object: what the interface for programs and the command line say of one."""

from collections.abc import Mapping
from typing import Any

from app.progress import progress_object
from app.run_object import instant, run_links
from provenance.ledger.queries.progress import Progress
from provenance.ledger.tables import Evaluation, Run


def evaluation_object(
    evaluation: Evaluation, base_url: str, progress: Mapping[str, Progress]
) -> dict[str, Any]:
    """Return *evaluation* with its runs in JSON form, with links below *base_url*."""
    base = base_url.rstrip("/")
    return {
        "id": evaluation.id,
        "project": evaluation.project.name,
        "trigger": evaluation.trigger,
        "actor": evaluation.actor,
        "revision": evaluation.revision,
        "branch": evaluation.branch,
        "commit": evaluation.commit_sha,
        "status": str(evaluation.status),
        "verdict": evaluation.verdict,
        "force": evaluation.force,
        "prepared": evaluation.prepared,
        "error": evaluation.error,
        "created_at": instant(evaluation.created_at),
        "started_at": instant(evaluation.started_at),
        "finished_at": instant(evaluation.finished_at),
        "runs": [_run(run, base, progress.get(run.id)) for run in evaluation.runs],
        "links": {
            "self": f"{base}/api/v1/evaluations/{evaluation.id}",
            "page": f"{base}/evaluations/{evaluation.id}",
        },
    }


def _run(run: Run, base: str, progress: Progress | None) -> dict[str, Any]:
    return {
        "id": run.id,
        "report": run.report,
        "status": str(run.status),
        "verdict": run.verdict,
        "params": run.params,
        "reused": run.reused,
        "progress": progress_object(progress),
        "links": run_links(run, base),
    }
