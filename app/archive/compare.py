"""The page on which two runs are compared, and the one on which the second is chosen."""

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.archive.comparison import FILE_POLICY, comparison, comparison_file
from app.current import installation
from app.explained import run_meant
from provenance.errors import InvalidInputError
from provenance.ledger.finding import find_run
from provenance.ledger.queries.cases import case_names
from provenance.ledger.queries.runs import PAGE, run_rows, select_rows
from provenance.ledger.states import Status
from provenance.ledger.tables import Run


class TwoRunsError(InvalidInputError):
    """Raised when not two runs are named."""

    code = "two_runs"


def compare() -> ResponseReturnValue:
    """Compare runs ``a`` and ``b``; with ``a`` alone let the other be chosen.

    ``?standalone=1`` gives the comparison as one file that needs no server.

    Two of a list come as ``pick``, and lead to the address that lasts: the older one first.
    """
    if picked := request.args.getlist("pick"):
        return redirect(_of_picked(sorted(set(picked))))
    a, b = (request.args.get(name, "").strip() for name in ("a", "b"))
    if not a:
        raise TwoRunsError(
            "The address names no runs to compare.", "Write it as /compare?a=RUN&b=RUN."
        )
    with installation().ledger.reading() as session:
        a, b = run_meant(session, a), b and run_meant(session, b)
        if b and "standalone" in request.args:
            return _file(comparison_file(session, a, b))
        return comparison(session, a, b) if b else _choice(session, a)


def _file(page: str) -> Response:
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = f"{FILE_POLICY}; frame-ancestors 'self'"
    return response


def _of_picked(picked: list[str]) -> str:
    if len(picked) == 1:
        return url_for("archive.compare", a=picked[0])
    if len(picked) != 2:
        raise TwoRunsError(
            f"{len(picked)} runs are picked, and two can be compared.", "Go back and pick two."
        )
    return url_for("archive.compare", a=picked[0], b=picked[1])


def _choice(session: Session, run_id: str) -> str:
    """Show the runs that *run_id* can be compared with: those of its report, its case first."""
    run = find_run(session, run_id)
    others = select_rows().where(
        Run.project_id == run.project_id,
        Run.report == run.report,
        Run.id != run.id,
        Run.status == Status.FINISHED,
    )
    order = (Run.case_key != run.case_key, Run.id.desc())
    rows = run_rows(session, others.order_by(*order).limit(PAGE))
    (own,) = run_rows(session, select_rows().where(Run.id == run.id))
    return render_template(
        "archive/compare_choice.html",
        run=own,
        rows=rows,
        case_name=case_names(session, [(run.project_id, run.report)]),
    )
