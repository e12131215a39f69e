"""Addresses that stay while runs come and go: the latest run, and the badge."""

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.current import installation
from app.web.filters import mark
from provenance.datasets.instants import read_instant
from provenance.ledger.queries.latest import Wanted, newest_run, verdicts_of_report
from provenance.ledger.queries.projects import known_report, project_named
from provenance.ledger.states import Verdict, worst

_COLOURS = {"passed": "#1b6e3c", "failed": "#b0281f", "error": "#8a4b08", "idle": "#5f5b55"}
_WIDTH_OF_LETTER = 6.6
LONGEST_NAME = 60


def latest(project: str, report: str) -> ResponseReturnValue:
    """Lead to the newest finished run whose parameters match those of the address.

    ``branch`` and ``as_of`` narrow the runs themselves; a parameter of such a name is given
    as ``param.branch``.
    """
    params = {
        name.removeprefix("param."): text
        for name, text in request.args.items()
        if name not in ("branch", "as_of")
    }
    as_of = request.args.get("as_of")
    instant = read_instant(as_of, "as_of") if as_of else None
    wanted = Wanted(params, request.args.get("branch"), instant)
    with installation().ledger.reading() as session:
        found = project_named(session, project)
        run = newest_run(session, found, known_report(session, found, report), wanted)
    return redirect(url_for("archive.run", run_id=run.id), 302)


def badge(project: str, report: str) -> Response:
    """Draw the worst verdict among the newest runs of all cases on the default branch."""
    with installation().ledger.reading() as session:
        found = project_named(session, project)
        name = known_report(session, found, report)
        branch = request.args.get("branch") or found.default_branch
        verdicts = verdicts_of_report(session, found.id, name, branch)
    known = [verdict for verdict in Verdict if verdict in verdicts]
    shown = mark(worst(known) if known else None)
    picture = render_template(
        "archive/badge.svg",
        name=name[:LONGEST_NAME],
        word=shown.word,
        colour=_COLOURS[shown.css],
        left=_width(name[:LONGEST_NAME]),
        right=_width(shown.word),
    )
    response = Response(picture, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _width(text: str) -> int:
    return round(len(text) * _WIDTH_OF_LETTER) + 12
