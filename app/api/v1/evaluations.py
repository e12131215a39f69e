"""Evaluations."""

from dataclasses import replace
from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import selectinload

from app.api.v1.entrance import make_blueprint
from app.api.v1.models import EvaluationObject, EvaluationPath, ReportPath, SweepBody
from app.api.v1.runs import requester, wanted_run
from app.cancelling import cancel_all
from app.current import doorbell, installation
from app.evaluation_object import evaluation_object
from app.intake.request import accept_runs
from provenance.ledger.cancel import UnknownEvaluationError
from provenance.ledger.queries.progress import progress_of
from provenance.ledger.states import ENDED
from provenance.ledger.tables import Evaluation

blueprint = make_blueprint("api_evaluations")


@blueprint.post(
    "/projects/<string:project>/reports/<string:report>/evaluations",
    responses={202: EvaluationObject},
)
def create_evaluation(path: ReportPath, body: SweepBody) -> tuple[Response, int]:
    """Run a report for several values of parameters: all combinations, in one evaluation."""
    wanted = replace(wanted_run(path, body), several=body.several)
    runs = accept_runs(installation(), wanted, requester(), doorbell())
    found = _object_of(runs[0].evaluation_id)
    response = jsonify(found)
    response.headers["Location"] = found["links"]["self"]
    return response, 202


@blueprint.get("/evaluations/<string:evaluation_id>", responses={200: EvaluationObject})
def show_evaluation(path: EvaluationPath) -> Response:
    """Show one evaluation with its runs."""
    return jsonify(_object_of(path.evaluation_id))


@blueprint.post(
    "/evaluations/<string:evaluation_id>/cancel",
    responses={200: EvaluationObject, 202: EvaluationObject},
)
def cancel_evaluation(path: EvaluationPath) -> tuple[Response, int]:
    """Cancel all runs of an evaluation.

    Answers 200 where it has ended, 202 where workers were told to stop.
    """
    cancel_all(installation().ledger, path.evaluation_id)
    found = _object_of(path.evaluation_id)
    return jsonify(found), 200 if found["status"] in ENDED else 202


def _object_of(evaluation_id: str) -> dict[str, Any]:
    with installation().ledger.reading() as session:
        found = session.get(Evaluation, evaluation_id, options=[selectinload(Evaluation.runs)])
        if found is None:
            raise UnknownEvaluationError(f"There is no evaluation {evaluation_id[:80]!r}.")
        return evaluation_object(found, installation().base_url, progress_of(session, found.runs))
