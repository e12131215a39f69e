"""The page that says why two runs differ, and the page that tells the story of one."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy.orm import Session

from app.comparing.runs import cells_of_runs
from app.current import installation
from app.explained import run_meant
from provenance.errors import InvalidInputError
from provenance.explain.load import explain_runs, tell_run
from provenance.explain.model import Explanation, JobChange, Kind, Line
from provenance.ledger.finding import find_run
from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.metrics import previous_runs
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.tables import Run
from provenance.text import readable

MOST_CAUSES = 60
OPEN_LINES = 14
"""Lines of diffs that are unfolded at first: a page of causes stays one screen."""
LINES_OF_ONE = 45
"""The same, of the only cause there is."""
_KINDS = {
    Kind.PARAMETERS: "parameter",
    Kind.TEMPLATE: "template",
    Kind.IMPORTED_CODE: "imported code",
    Kind.STAGE_CODE: "stage code",
    Kind.WIRING: "manifest",
    Kind.DATA: "data",
    Kind.PACKAGES: "package",
    Kind.PLATFORM: "platform",
    Kind.ENVIRONMENT: "environment",
    Kind.RANDOMNESS: "not recorded",
}
_CSS = {"+": "come", "-": "gone", "@": "place"}
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


@dataclass(frozen=True)
class DiffLine:
    """A line of a diff, with the class that colours it."""

    css: str
    text: str


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


def comparison(session: Session, a: str, b: str) -> str:
    """Return the page of two runs: why they differ, what moved, and their cells side by side."""
    found = explain_runs(session, installation().store, a, b)
    rows, names = _rows(session, [a, b])
    return render_template(
        "archive/explain.html",
        found=found,
        sides=(rows[a], rows[b]),
        names=names,
        kinds=_KINDS,
        diffs=[list(diff_lines(cause.diff)) for cause in found.causes[:MOST_CAUSES]],
        most_causes=MOST_CAUSES,
        unfolded=_unfolded(found),
        shown_outputs=shown_outputs,
        cells=cells_of_runs(session, installation().store, a, b),
        diff_lines=diff_lines,
    )


def _story(session: Session, run_id: str) -> str:
    told = tell_run(session, installation().store, run_id)
    rows, names = _rows(session, [run_id])
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


def _rows(session: Session, ids: list[str]) -> tuple[dict[str, RunRow], CaseNames]:
    for run_id in ids:
        find_run(session, run_id)
    rows = {row.id: row for row in run_rows(session, select_rows().where(Run.id.in_(ids)))}
    return rows, case_names(session, {(row.project_id, row.report) for row in rows.values()})


def diff_lines(diff: str | None) -> Iterator[DiffLine]:
    """Yield the lines of a diff, without the two that only repeat the file's name."""
    for place, line in enumerate((diff or "").splitlines()):
        if place < 2 and line.startswith(("---", "+++")):
            continue
        yield DiffLine(_CSS.get(line[:1], "kept"), readable(line))


def _unfolded(found: Explanation) -> set[int]:
    """Return which diffs are open at first: the first ones, as long as they are short."""
    unfolded, room = set(), OPEN_LINES if len(found.causes) > 1 else LINES_OF_ONE
    for place, cause in enumerate(found.causes):
        room -= (cause.diff or "").count("\n")
        if cause.diff and room >= 0:
            unfolded.add(place)
    return unfolded


def shown_outputs(job: JobChange) -> list[tuple[str, str | None, str | None]]:
    """Return the outputs of a job to be shown: not a page, which names its own moment."""
    return [
        (output.name, output.before, output.after)
        for output in job.outputs
        if output.name not in ("html", "notebook") or job.name != "report"
    ]
