"""Projects and their commits."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.distinct import distinct_from
from provenance.ledger.states import ABOUT_RUNS
from provenance.ledger.tables import CaseHead, Evaluation, Project, Run
from provenance.nearest import did_you_mean_or_all

MOST_BRANCHES = 100
_ASKED_FOR = (
    Evaluation.project_id == bindparam("project_id"),
    Evaluation.trigger.not_in(ABOUT_RUNS),
)


class UnknownProjectError(NotFoundError):
    """Raised when a project is named that nobody has added."""


class UnknownReportError(NotFoundError):
    """Raised when a report is named that no run of the project has made."""


def all_projects(session: Session) -> Sequence[Project]:
    """Return every project by name."""
    return session.scalars(select(Project).order_by(Project.name)).all()


def project_names(session: Session) -> Sequence[str]:
    """Return the name of every project, in their order."""
    return session.scalars(select(Project.name).order_by(Project.name)).all()


def project_named(session: Session, name: str) -> Project:
    """Return the project called *name*, or raise `UnknownProjectError` with the nearest name."""
    found = session.scalars(select(Project).where(Project.name == name)).one_or_none()
    if found is not None:
        return found
    raise UnknownProjectError(
        f"There is no project named {name!r}.", did_you_mean_or_all(name, project_names(session))
    )


def report_names(session: Session, project_id: str) -> Sequence[str]:
    """Return the reports of the project that have at least one run, by name."""
    wanted = select(CaseHead.report).where(CaseHead.project_id == project_id).distinct()
    return session.scalars(wanted.order_by(CaseHead.report)).all()


def known_report(session: Session, project: Project, name: str) -> str:
    """Return *name* if the project has runs of it, or raise `UnknownReportError`."""
    one = select(Run.id).where(Run.project_id == project.id, Run.report == name).limit(1)
    if session.scalar(one) is not None:
        return name
    hint = did_you_mean_or_all(name, report_names(session, project.id))
    raise UnknownReportError(f"Project {project.name!r} has no report {name!r}.", hint)


def branch_names(session: Session, project_id: str) -> Sequence[str]:
    """Return the branches that evaluations of the project were asked for, by name."""
    of_project = {"project_id": project_id}
    return distinct_from(session, Evaluation.branch, "", _ASKED_FOR, of_project)[:MOST_BRANCHES]
