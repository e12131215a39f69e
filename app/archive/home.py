"""The first page: what needs attention, what runs now, what was evaluated last."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from app.current import installation
from provenance.ledger.queries.cases import case_names
from provenance.ledger.queries.evaluations import latest_evaluations
from provenance.ledger.queries.home import home_token, needs_attention, under_way
from provenance.ledger.queries.kernels import kernels_off
from provenance.ledger.queries.projects import all_projects


def home() -> ResponseReturnValue:
    """Show the archive's first page, or older evaluations with ``?before=``.

    A page that is open asks again with ``?seen=``, and is answered 204 where nothing is new.
    """
    before = request.args.get("before")
    with installation().ledger.reading() as session:
        token = home_token(session)
        if request.args.get("seen") == token:
            return Response(status=204)
        attention = needs_attention(session)
        kernels = kernels_off(session)
        running = under_way(session)
        evaluations, older = latest_evaluations(session, before)
        shown = [item.run for item in attention] + list(running.runs)
        return render_template(
            "archive/home.html",
            projects=all_projects(session),
            attention=attention,
            kernels_off=kernels,
            under_way=running,
            token=token,
            evaluations=evaluations,
            older=evaluations[-1].id if older else None,
            before=before,
            case_name=case_names(session, [(run.project_id, run.report) for run in shown]),
        )
