"""The page that says why two runs differ, and the page that tells the story of one."""

from flask import render_template, request
from sqlalchemy.orm import Session

from app.archive.comparison import comparison, rows_of
from app.current import installation
from app.explained import run_meant
from provenance.errors import InvalidInputError
from provenance.explain.load import tell_run
from provenance.explain.model import Line
from provenance.ledger.queries.metrics import previous_runs

_TOPICS = {
    "asked": "Asked for",
    "code": "Code",
    "data": "Data",
    "stage": "Made in order",
    "environment": "Environment",
    "result": "Result",
    "odd": "What is odd",
}


class WhichRunsError(InvalidInputError):
    """Raised when the address names no run."""

    code = "which_runs"


def explain() -> str:
    """Show why run ``b`` is not what run ``a`` is; without ``b``, how ``a`` came to be."""
    a, b = request.args.get("a", "").strip(), request.args.get("b", "").strip()
    if not a:
        raise WhichRunsError(
            "The address names no run to explain.", "Write it as /explain?a=RUN&b=RUN."
        )
    with installation().ledger.reading() as session:
        a, b = run_meant(session, a), b and run_meant(session, b)
        return comparison(session, a, b) if b else _story(session, a)


def _story(session: Session, run_id: str) -> str:
    told = tell_run(session, installation().store, run_id)
    rows, names = rows_of(session, [run_id])
    topics: dict[str, list[Line]] = {}
    for line in told.lines:
        topics.setdefault(_TOPICS[line.topic], []).append(line)
    before = previous_runs(session, [run_id]).get(run_id)
    return render_template(
        "archive/story.html",
        told=told,
        run=rows[run_id],
        names=names,
        topics=topics,
        before=before,
    )
