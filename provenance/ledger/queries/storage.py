"""What the storage page shows: what was measured, and what is kept for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provenance.ledger.keeping_tables import Retention, StorageUse
from provenance.ledger.queries.projects import report_names
from provenance.ledger.retention import ALL_REPORTS, retentions
from provenance.ledger.tables import Project


@dataclass(frozen=True)
class Kept:
    """A report, or with an empty name a whole project: what it takes, how long it is kept."""

    report: str
    use: StorageUse | None
    """Null where nothing was measured since it came."""
    own: Retention | None
    days: int | None
    """For how long its pages are kept, by its own rule or its project's; null: for ever."""


@dataclass(frozen=True)
class KeptProject:
    """A project and its reports."""

    name: str
    whole: Kept
    reports: tuple[Kept, ...]


def is_due(session: Session, before: datetime) -> bool:
    """Tell whether the store is to be measured: somebody asks, or it was not since *before*."""
    whole = whole_store(session)
    return whole is None or whole.due or whole.at < before


def ask_to_measure(session: Session) -> None:
    """Let the next worker that looks measure the store; what is known stays until then."""
    session.execute(update(StorageUse).values(due=True))


def whole_store(session: Session) -> StorageUse | None:
    """Return what all objects took; None where that was never measured."""
    return session.get(StorageUse, ("", ""))


def kept_projects(session: Session) -> Sequence[KeptProject]:
    """Return every project with its reports, by name."""
    uses = {(row.project, row.report): row for row in session.scalars(select(StorageUse))}
    rules = retentions(session)
    projects = session.scalars(select(Project).order_by(Project.name))
    return [_kept(session, project, uses, rules) for project in projects]


def _kept(
    session: Session,
    project: Project,
    uses: dict[tuple[str, str], StorageUse],
    rules: dict[tuple[str, str], Retention],
) -> KeptProject:
    general = rules.get((project.id, ALL_REPORTS))

    def of(report: str) -> Kept:
        own = rules.get((project.id, report))
        ruling = own or general
        use = uses.get((project.name, report))
        return Kept(report, use, own, ruling.days if ruling else None)

    names = report_names(session, project.id)
    return KeptProject(project.name, of(ALL_REPORTS), tuple(map(of, names)))
