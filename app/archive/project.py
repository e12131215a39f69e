"""The page of a project: commits against reports."""

from urllib.parse import urlsplit, urlunsplit

from flask import render_template, request

from app.current import installation
from provenance.ledger.queries.matrix import project_matrix
from provenance.ledger.queries.projects import project_named


def project(project: str) -> str:
    """Show what every commit of the project did to every report."""
    branch, before = request.args.get("branch"), request.args.get("before")
    with installation().ledger.reading() as session:
        found = project_named(session, project)
        matrix = project_matrix(session, found, branch or None, before)
    return render_template(
        "archive/project.html",
        project=found,
        matrix=matrix,
        branch=branch,
        source=_without_user(found.url),
    )


def _without_user(url: str) -> str:
    """Return *url* without the name and password that somebody may have left in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host)) if parts.scheme else url
