"""The page of one evaluation."""

from itertools import groupby
from operator import attrgetter

from flask import render_template

from app.current import installation
from provenance.ledger.queries.cases import case_names
from provenance.ledger.queries.evaluations import evaluation_page


def evaluation(evaluation_id: str) -> str:
    """Show an evaluation with its runs, report by report."""
    with installation().ledger.reading() as session:
        page = evaluation_page(session, evaluation_id)
        names = case_names(session, [(run.project_id, run.report) for run in page.runs])
    by_report = groupby(page.runs, attrgetter("report"))
    return render_template(
        "archive/evaluation.html",
        page=page,
        item=page.evaluation,
        reports=[(report, list(runs)) for report, runs in by_report],
        case_name=names,
    )
