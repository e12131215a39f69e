"""The newest run of a report that matches what a stable link asks for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Project, Run
from provenance.nearest import did_you_mean_or_all

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


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
    runs = run_rows(session, query.order_by(Run.id.desc()))
    for run in runs:
        if all(_matches(run.params, name, text) for name, text in wanted.params.items()):
            return run
    raise NoSuchRunError(*_nothing(f"{project.name} / {report}", wanted, runs))


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
            Run.dirty.is_(None),
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


def _nothing(report: str, wanted: Wanted, runs: Sequence[RunRow]) -> tuple[str, str]:
    """Return why no run matches, and what to do: what can never match is told first."""
    known = sorted({name for run in runs for name in run.params})
    for name, text in wanted.params.items():
        if runs and name not in known:
            return f"{report} has no parameter {name!r}.", did_you_mean_or_all(name, known)
        if _DAY.fullmatch(text) and not _exists(text):
            return f"{name} = {text}: this day does not exist.", "Name a day of the calendar."
    asked = [f"{name} = {text}" for name, text in wanted.params.items()]
    if wanted.branch:
        asked.append(f"branch {wanted.branch}")
    condition = f" with {', '.join(asked)}" if asked else ""
    told = f"No finished run of {report}{condition}."
    if wanted.as_of:
        told = f"No run of {report}{condition} had finished by {wanted.as_of.isoformat()}."
    return (
        told,
        "Ask for fewer parameters, or run the report with these.",
    )


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
