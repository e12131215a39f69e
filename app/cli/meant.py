"""Which run is meant by what somebody types: an id, or ``latest``."""

import tomllib
from pathlib import Path

from sqlalchemy.orm import Session

from app.cli.output import say
from app.explained import LATEST, run_meant
from pipeline.manifest_parts.problems import MANIFEST
from pipeline.repository.git import GitError, git
from provenance.ledger.tables import Run


def run_named(session: Session, name: str) -> str:
    """Return the id of the run that *name* means at a terminal.

    ``latest`` is the newest one of the project that the current directory lies in. Outside of
    any project it is the newest of all, and whose that is is said. Raises NoOtherRunError.
    """
    if name != LATEST:
        return name
    project = project_here()
    found = run_meant(session, name, project)
    if project is None:
        run = session.get_one(Run, found)
        say(f"latest is {found} of {run.project.name} / {run.report}.", err=True, dim=True)
    return found


def project_here() -> str | None:
    """Return the name of the project around the current directory; None where there is none.

    Only the name is read: what else may be wrong with the manifest is not in question.
    """
    try:
        top = git(["rev-parse", "--show-toplevel"], directory=Path.cwd()).decode().strip()
        document = tomllib.loads((Path(top) / MANIFEST).read_text(encoding="utf-8-sig"))
    except (GitError, OSError, ValueError):
        return None
    project = document.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else None
