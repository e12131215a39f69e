"""Reports by what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.tables import CaseHead, Project

MOST = 6


@dataclass(frozen=True)
class NamedReport:
    """A report that has runs."""

    project: str
    name: str


def reports_called(session: Session, words: Sequence[str]) -> tuple[NamedReport, ...]:
    """Return the reports whose name, with that of their project, has all *words* in it."""
    sought = [word.lower() for word in words]
    named = select(Project.name, CaseHead.report).join(CaseHead).distinct()
    found = [
        NamedReport(row.name, row.report)
        for row in session.execute(named.order_by(Project.name, CaseHead.report))
        if all(word in f"{row.name} {row.report}".lower() for word in sought)
    ]
    return tuple(found[:MOST])
