"""Deleting runs, and undoing it: the bin."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import redirect, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from app.current import actor, installation
from provenance.ledger.bin import Deletion, delete_runs, deletion_of, deletions, restore
from provenance.ledger.finding import find_run
from provenance.ledger.queries.cases import label_of
from provenance.ledger.queries.projects import report_names

UNDO = "undo"
"""What a page is given that a deletion leads back to: the page offers to undo it."""


def bin_page() -> str:
    """Show what was deleted, and can be brought back."""
    with installation().ledger.reading() as session:
        found = deletions(session)
    return render_template("archive/bin.html", deletions=found, label_of=label_of)


def delete_run(run_id: str) -> Response:
    """Put a run into the bin; go to its report, or its project, which offers to undo it."""
    with installation().ledger.writing() as session:
        run = find_run(session, run_id)
        project, report = run.project, run.report
        deletion = delete_runs(session, [run_id], actor())
        back = url_for("archive.project", project=project.name)
        if report in report_names(session, project.id):
            back = url_for("archive.report", project=project.name, report=report)
    return redirect(_with(back, UNDO, deletion), 303)


def delete_picked() -> Response:
    """Put the picked runs into the bin; go back to the list, which offers to undo it."""
    back = _back()
    with installation().ledger.writing() as session:
        deletion = delete_runs(session, request.form.getlist("pick"), actor())
    return redirect(_with(back, UNDO, deletion), 303)


def undo_deletion(deletion: str) -> Response:
    """Bring back what was deleted at once; go to the run, or to the runs of that report."""
    with installation().ledger.writing() as session:
        ids = restore(session, deletion)
        run = find_run(session, ids[0])
        of_report = url_for("archive.report", project=run.project.name, report=run.report)
    return redirect(url_for("archive.run", run_id=ids[0]) if len(ids) == 1 else of_report, 303)


def just_deleted() -> Deletion | None:
    """Return the deletion that led to this page, while it can be undone."""
    asked = request.args.get(UNDO, "")
    if not asked or "\0" in asked:
        return None
    try:
        with installation().ledger.reading() as session:
            return deletion_of(session, asked)
    except SQLAlchemyError:
        return None  # the page may be the one that tells of a ledger that does not answer


def _back() -> str:
    """Return the page of ours that the button stood on; the archive where it names none."""
    try:
        found = urlsplit(request.args.get("back", ""))
    except ValueError:
        return "/"
    ours = found.path.startswith("/") and not found.path.startswith(("//", "/\\"))
    if found.scheme or found.netloc or not ours:
        return "/"
    kept = [(name, value) for name, value in parse_qsl(found.query) if name != UNDO]
    return f"{found.path}?{urlencode(kept)}" if kept else found.path


def _with(address: str, name: str, value: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode({name: value})}"
