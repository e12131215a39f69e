"""Evaluations."""

from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import selectinload

from app.api.v1.entrance import PREFIX, make_blueprint
from app.api.v1.models import EvaluationObject, EvaluationPath
from app.current import installation
from app.run_object import instant, run_links
from provenance.errors import NotFoundError
from provenance.ledger.tables import Evaluation, Run

blueprint = make_blueprint("api_evaluations")


class UnknownEvaluationError(NotFoundError):
    """Raised when no evaluation has the identifier that was given."""

    code = "unknown_evaluation"


@blueprint.get("/evaluations/<string:evaluation_id>", responses={200: EvaluationObject})
def show_evaluation(path: EvaluationPath) -> Response:
    """Show one evaluation with its runs."""
    with installation().ledger.reading() as session:
        found = session.get(Evaluation, path.evaluation_id, options=[selectinload(Evaluation.runs)])
        if found is None:
            raise UnknownEvaluationError(f"There is no evaluation {path.evaluation_id[:80]!r}.")
        return jsonify(_evaluation_object(found))


def _evaluation_object(evaluation: Evaluation) -> dict[str, Any]:
    base = installation().base_url.rstrip("/")
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
        "runs": [_run(run, base) for run in evaluation.runs],
        "links": {
            "self": f"{base}{PREFIX}/evaluations/{evaluation.id}",
            "page": f"{base}/evaluations/{evaluation.id}",
        },
    }


def _run(run: Run, base: str) -> dict[str, Any]:
    return {
        "id": run.id,
        "report": run.report,
        "status": str(run.status),
        "verdict": run.verdict,
        "params": run.params,
        "reused": run.reused,
        "links": run_links(run, base),
    }
