"""The page of one evaluation."""

from itertools import groupby
from operator import attrgetter

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from app.current import installation
from provenance.ledger.bin import has_lost_runs
from provenance.ledger.queries.cases import case_names
from provenance.ledger.queries.evaluations import evaluation_page, evaluation_token


def evaluation(evaluation_id: str) -> ResponseReturnValue:
    """Show an evaluation with its runs, report by report.

    A page that is open asks again with ``?seen=``, and is answered 204 where nothing is new.
    """
    with installation().ledger.reading() as session:
        token = evaluation_token(session, evaluation_id)
        if request.args.get("seen") == token:
            return Response(status=204)
        page = evaluation_page(session, evaluation_id)
        gone = not page.runs and has_lost_runs(session, evaluation_id)
        names = case_names(session, [(run.project_id, run.report) for run in page.runs])
    by_report = groupby(page.runs, attrgetter("report"))
    return render_template(
        "archive/evaluation.html",
        page=page,
        item=page.evaluation,
        token=token,
        gone=gone,
        reports=[(report, list(runs)) for report, runs in by_report],
        case_name=names,
    )
