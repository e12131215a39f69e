"""What the archive takes, and how long it keeps pages."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.current import actor, installation
from app.errors import RefusedError
from provenance.ledger.queries.projects import project_named
from provenance.ledger.queries.storage import ask_to_measure, kept_projects, whole_store
from provenance.ledger.retention import ALL_REPORTS, set_retention
from provenance.nearest import shown


def storage() -> str:
    """Show what each report takes, and for how long its pages are kept."""
    with installation().ledger.reading() as session:
        whole = whole_store(session)
        projects = kept_projects(session)
    largest = max((one.use.size for p in projects for one in p.reports if one.use), default=0)
    return render_template("archive/storage.html", whole=whole, projects=projects, largest=largest)


def measure() -> Response:
    """Let a worker measure the store; go back to the page."""
    with installation().ledger.writing() as session:
        ask_to_measure(session)
    return redirect(url_for("archive.storage"), 303)


def keep_pages(project: str) -> Response:
    """Set for how long pages are kept; go back to the page."""
    days = _days(request.form.get("days", "").strip())
    report = request.form.get("report", ALL_REPORTS)
    with installation().ledger.writing() as session:
        set_retention(session, project_named(session, project), report, days, actor())
    return redirect(url_for("archive.storage", _anchor=f"of-{project}"), 303)


def _days(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise RefusedError(
            400, "retention", f"days: found {shown(text)}, expected a number of days.",
            "Leave it empty to keep pages for ever.",
        )  # fmt: skip
    return int(text)
