"""The page of a project: commits against reports."""

from flask import render_template, request

from app.current import installation
from provenance.addresses import without_userinfo
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
        source=without_userinfo(found.url),
    )
