"""Reports by what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from provenance.ledger.distinct import distinct_from
from provenance.ledger.queries.projects import all_projects
from provenance.ledger.tables import Run

MOST = 6


@dataclass(frozen=True)
class NamedReport:
    """A report that has runs."""

    project: str
    name: str


def reports_called(session: Session, words: Sequence[str]) -> tuple[NamedReport, ...]:
    """Return the reports whose name, with that of their project, has all *words* in it."""
    sought = [word.lower() for word in words]
    found = [
        NamedReport(project.name, report)
        for project in all_projects(session)
        for report in distinct_from(session, Run.report, "", Run.project_id == project.id)
        if all(word in f"{project.name} {report}".lower() for word in sought)
    ]
    return tuple(found[:MOST])
