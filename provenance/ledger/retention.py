"""How long pages are kept: afterwards the rendered bytes go, and the record stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from provenance.errors import InvalidInputError
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Pin
from provenance.ledger.ids import first_id
from provenance.ledger.keeping_tables import Retention
from provenance.ledger.page_heads import page_heads_back
from provenance.ledger.queries.heads import OF_CASE, newest_of_cases
from provenance.ledger.queries.projects import known_report, report_names
from provenance.ledger.states import ENDED
from provenance.ledger.tables import CaseHead, Project, Run
from provenance.ledger.words import forget_pages
from provenance.nearest import shown

LONGEST_DAYS = 36_500
ALL_REPORTS = ""


class BadRetentionError(InvalidInputError):
    """Raised when a number of days is none for which pages can be kept."""

    code = "retention"


@dataclass(frozen=True)
class Rule:
    """For how long the pages of one report are kept."""

    project_id: str
    report: str
    days: int


def set_retention(
    session: Session, project: Project, report: str, days: int | None, actor: str
) -> None:
    """Keep the pages of *report* (empty: of all that have no rule of their own) for *days*.

    None: for ever, or as the project's rule says. Raises UnknownReportError, BadRetentionError.
    """
    if report != ALL_REPORTS:
        known_report(session, project, report)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise BadRetentionError(
            f"days: found {shown(str(days))}, expected 1 to {LONGEST_DAYS:,}.",
            "Leave it empty to keep pages for ever.",
        )
    found = session.get(Retention, (project.id, report))
    if found is not None:
        session.delete(found)
        session.flush()
    if days is not None:
        facts = {"project_id": project.id, "report": report, "days": days, "actor": actor}
        session.add(Retention(**facts))


def retentions(session: Session) -> dict[tuple[str, str], Retention]:
    """Return what is set, by project id and report (empty: all reports)."""
    return {(row.project_id, row.report): row for row in session.scalars(select(Retention))}


def rules(session: Session) -> list[Rule]:
    """Return the rule of each report that has one, of its own or of its project."""
    found = retentions(session)
    ruled = [
        Rule(project_id, report, row.days)
        for (project_id, report), row in found.items()
        if report != ALL_REPORTS
    ]
    for (project_id, report), row in found.items():
        if report == ALL_REPORTS:
            names = report_names(session, project_id)
            ruled += [
                Rule(project_id, name, row.days)
                for name in names
                if (project_id, name) not in found
            ]
    return ruled


def expire(session: Session, rule: Rule, most: int) -> int:
    """Clear the pages, notebooks and logs of runs whose time is over; return how many runs.

    What is pinned stays, and the newest page of each case.
    """
    oldest = first_id("run", utc_now() - timedelta(days=rule.days))
    of_report = (CaseHead.project_id == rule.project_id, CaseHead.report == rule.report)
    newest = newest_of_cases(*of_report, fits=[OF_CASE.html.is_not(None)])
    pinned = exists().where(Pin.target == Run.id, Pin.holds())
    query = (
        select(Run.id, Run.html)
        .where(
            Run.project_id == rule.project_id,
            Run.report == rule.report,
            Run.html.is_not(None),
            Run.id < oldest,
            Run.status.in_(ENDED),
            ~pinned,
            Run.id.not_in(newest.where(newest.selected_columns[0].is_not(None))),
        )
        .order_by(Run.id)
        .limit(most)
    )
    rows = session.execute(query).all()
    cleared = {"html": None, "notebook": None, "log": None, "expired_at": utc_now()}
    ids = [row.id for row in rows]
    session.execute(update(Run).where(Run.id.in_(ids)).values(cleared))
    pages = _pages([row.html for row in rows])
    page_heads_back(session, pages, ids)
    forget_pages(session, pages)
    return len(rows)


def _pages(digests: Sequence[str | None]) -> list[str]:
    return sorted({digest for digest in digests if digest})
