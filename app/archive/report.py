"""The page of a report: its cases, its metrics from commit to commit, its runs."""

from collections.abc import Sequence
from dataclasses import replace

from flask import render_template, request
from sqlalchemy.orm import Session

from app.archive.sparkline import axis_data, trend_view
from app.current import installation
from provenance.ledger.marks import marks_of
from provenance.ledger.queries.cases import CaseNames, cases_of
from provenance.ledger.queries.film import Film, film_of
from provenance.ledger.queries.history import Filter, HistoryRow, report_history
from provenance.ledger.queries.projects import branch_names, known_report, project_named
from provenance.ledger.queries.trends import Trends, report_trends
from provenance.ledger.words import about_page

COLUMNS = 3
"""Metrics that have a column in the history."""


def report(project: str, report: str) -> str:
    """Show the history and the trends of one report, of one case with ``?case=``.

    With ``?metric=`` only that one's trend, further back.
    """
    before, metric = request.args.get("before"), request.args.get("metric")
    with installation().ledger.reading() as session:
        found = project_named(session, project)
        cases = cases_of(session, [(found.id, report)])
        name = cases[0].report if cases else known_report(session, found, report)
        names = CaseNames({(case.project_id, case.report, case.key): case.label for case in cases})
        wanted = Filter(
            found.id, name, request.args.get("case") or None, request.args.get("branch") or None
        )
        history = report_history(session, wanted, before, COLUMNS)
        rows = history.rows
        trends = Trends() if before else report_trends(session, wanted, names, metric or None)
        about = about_page(session, next((row.run.html for row in rows if row.run.html), None))
        notes = marks_of(session, [row.run.id for row in rows])
        film = Film() if before or metric else _film(session, wanted, rows)
        branches = branch_names(session, found.id)
    return render_template(
        "archive/report.html",
        project=found,
        report=name,
        cases=cases,
        case_name=names,
        chosen=wanted.case_key,
        branch=wanted.branch,
        branches=branches,
        trends=[trend_view(trend, trends) for trend in trends.metrics],
        axis=axis_data(trends),
        others=trends.others,
        metric=metric,
        film=film,
        rows=rows,
        notes=notes,
        about=about,
        columns=history.columns,
        older=rows[-1].run.id if history.older else None,
        before=before,
    )


def _film(session: Session, wanted: Filter, rows: Sequence[HistoryRow]) -> Film:
    """Return the film strip of the chosen case; of all cases, that of the newest page's."""
    newest = next((row.run.case_key for row in rows if row.run.html), None)
    case = wanted.case_key or newest
    return film_of(session, replace(wanted, case_key=case)) if case else Film()
