"""Projects."""

from typing import Any
from urllib.parse import quote

from flask import Response, jsonify
from sqlalchemy.orm import Session

from app.api.v1.entrance import PREFIX, make_blueprint
from app.api.v1.models import ProjectList, ProjectObject, ProjectPath
from app.current import installation
from app.run_object import instant
from provenance.ledger.queries.projects import all_projects, project_named, report_names
from provenance.ledger.tables import Project

blueprint = make_blueprint("api_projects")


@blueprint.get("/projects", responses={200: ProjectList})
def list_projects() -> Response:
    """List all projects."""
    with installation().ledger.reading() as session:
        items = [_project_object(session, project) for project in all_projects(session)]
    return jsonify({"items": items})


@blueprint.get("/projects/<string:project>", responses={200: ProjectObject})
def show_project(path: ProjectPath) -> Response:
    """Show one project."""
    with installation().ledger.reading() as session:
        return jsonify(_project_object(session, project_named(session, path.project)))


def _project_object(session: Session, project: Project) -> dict[str, Any]:
    base, name = installation().base_url.rstrip("/"), quote(project.name, safe="")
    return {
        "name": project.name,
        "default_branch": project.default_branch,
        "created_at": instant(project.created_at),
        "reports": list(report_names(session, project.id)),
        "links": {
            "self": f"{base}{PREFIX}/projects/{name}",
            "page": f"{base}/projects/{name}",
            "runs": f"{base}{PREFIX}/runs?project={name}",
        },
    }
