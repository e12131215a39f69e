"""Two runs compared: why they differ, what moved, their cells; as a page, or as one file."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.comparing.runs import cells_of_runs
from app.current import installation
from app.web.pages import STATIC
from provenance.explain.load import explain_runs
from provenance.explain.model import Explanation, JobChange, Kind
from provenance.ledger.finding import find_run
from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.tables import Run
from provenance.text import readable

MOST_CAUSES = 60
OPEN_LINES = 14
"""Lines of diffs that are unfolded at first: a page of causes stays one screen."""
LINES_OF_ONE = 45
"""The same, of the only cause there is."""
FILE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "form-action 'none'",
        "base-uri 'none'",
    )
)
"""What a comparison on somebody's disk may do: be looked at. It has no scripts."""
_STYLES = ("vendor/pico.min.css", "provenote.css", "explain.css")
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


@dataclass(frozen=True)
class DiffLine:
    """A line of a diff, with the class that colours it."""

    css: str
    text: str


def comparison(session: Session, a: str, b: str) -> str:
    """Return the page of two runs: why they differ, what moved, and their cells side by side."""
    return render_template("archive/explain.html", alone=False, **_compared(session, a, b))


def comparison_file(session: Session, a: str, b: str) -> str:
    """Return the same as one file that asks for nothing: styles and images are in it."""
    return render_template(
        "archive/comparison_file.html",
        alone=True,
        styles=_styles(),
        policy=FILE_POLICY,
        base_url=installation().base_url.rstrip("/"),
        **_compared(session, a, b),
    )


def rows_of(session: Session, ids: list[str]) -> tuple[dict[str, RunRow], CaseNames]:
    """Return runs as lists show them, by their ids, and what their cases are called."""
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


def shown_outputs(job: JobChange) -> list[tuple[str, str | None, str | None]]:
    """Return the outputs of a job to be shown: not a page, which names its own moment."""
    return [
        (output.name, output.before, output.after)
        for output in job.outputs
        if output.name not in ("html", "notebook") or job.name != "report"
    ]


def _compared(session: Session, a: str, b: str) -> dict[str, Any]:
    """Return what both templates tell of two runs."""
    store = installation().store
    found = explain_runs(session, store, a, b)
    rows, names = rows_of(session, [a, b])
    return {
        "found": found,
        "sides": (rows[a], rows[b]),
        "names": names,
        "kinds": _KINDS,
        "diffs": [list(diff_lines(cause.diff)) for cause in found.causes[:MOST_CAUSES]],
        "most_causes": MOST_CAUSES,
        "unfolded": _unfolded(found),
        "shown_outputs": shown_outputs,
        "cells": cells_of_runs(session, store, a, b),
        "diff_lines": diff_lines,
    }


def _unfolded(found: Explanation) -> set[int]:
    """Return which diffs are open at first: the first ones, as long as they are short."""
    unfolded, room = set(), OPEN_LINES if len(found.causes) > 1 else LINES_OF_ONE
    for place, cause in enumerate(found.causes):
        room -= (cause.diff or "").count("\n")
        if cause.diff and room >= 0:
            unfolded.add(place)
    return unfolded


@cache
def _styles() -> Markup:
    """Return our own style sheets, to stand in a page."""
    text = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in _STYLES)
    return Markup(text)  # noqa: S704 - files of ours, no data
