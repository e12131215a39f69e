"""The newest run of a report that matches what a stable link asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Project, Run


class NoSuchRunError(NotFoundError):
    """Raised when no finished run of a report matches what was asked for."""


@dataclass(frozen=True)
class Wanted:
    """What a stable link asks for."""

    params: Mapping[str, str] = field(default_factory=dict)
    branch: str | None = None
    as_of: datetime | None = None


def newest_run(session: Session, project: Project, report: str, wanted: Wanted) -> RunRow:
    """Return the newest finished run of *report* that matches, or raise `NoSuchRunError`."""
    newest = select(func.max(Run.id)).where(
        Run.project_id == project.id,
        Run.report == report,
        Run.purpose.is_(None),
        # A look at the past is not how things are now.
        Run.data["as_of"].as_string().is_(None),
        Run.status == Status.FINISHED,
        Run.verdict != Verdict.CANCELLED,
    )
    if wanted.branch:
        newest = newest.where(Run.branch == wanted.branch)
    if wanted.as_of:
        newest = newest.where(Run.finished_at <= wanted.as_of)
    query = select_rows().where(Run.id.in_(newest.group_by(Run.case_key)))
    for run in run_rows(session, query.order_by(Run.id.desc())):
        if all(_matches(run.params, name, text) for name, text in wanted.params.items()):
            return run
    raise NoSuchRunError(*_nothing(project.name, report, wanted))


def verdicts_of_report(session: Session, project_id: str, report: str, branch: str) -> list[str]:
    """Return the verdict of the newest finished run of every case on *branch*."""
    newest = (
        select(func.max(Run.id))
        .where(
            Run.project_id == project_id,
            Run.report == report,
            Run.purpose.is_(None),
            Run.data["as_of"].as_string().is_(None),
            Run.status == Status.FINISHED,
            Run.verdict != Verdict.CANCELLED,
            Run.branch == branch,
        )
        .group_by(Run.case_key)
    )
    found = session.scalars(select(Run.verdict).where(Run.id.in_(newest)))
    return [verdict for verdict in found if verdict]


def _matches(params: Mapping[str, Any], name: str, text: str) -> bool:
    if name not in params:
        return False
    value = params[name]
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, float):
        try:
            return float(text) == value
        except ValueError:
            return False
    return str(value) == text


def _nothing(project: str, report: str, wanted: Wanted) -> tuple[str, str]:
    asked = [f"{name} = {text}" for name, text in wanted.params.items()]
    if wanted.branch:
        asked.append(f"branch {wanted.branch}")
    if wanted.as_of:
        asked.append(f"finished by {wanted.as_of.isoformat()}")
    condition = f" with {', '.join(asked)}" if asked else ""
    return (
        f"No finished run of {project} / {report}{condition}.",
        "Ask for fewer parameters, or run the report with these.",
    )
