"""The newest run of a report that matches what a stable link asks for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.queries.heads import OF_CASE, newest_of_cases
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import CaseHead, Project, Run
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
    fits = _now()
    if wanted.branch:
        fits.append(OF_CASE.branch == wanted.branch)
    if wanted.as_of:
        fits.append(OF_CASE.finished_at <= wanted.as_of)
    query = select_rows().where(Run.id.in_(_of_report(project.id, report, fits)))
    runs = run_rows(session, query.order_by(Run.id.desc()))
    for run in runs:
        if all(_matches(run.params, name, text) for name, text in wanted.params.items()):
            return run
    raise NoSuchRunError(*_nothing(f"{project.name} / {report}", wanted, runs))


def verdicts_of_report(session: Session, project_id: str, report: str, branch: str) -> list[str]:
    """Return the verdict of the newest finished run of every case on *branch*."""
    fits = [*_now(), OF_CASE.dirty.is_(None), OF_CASE.branch == branch]
    newest = _of_report(project_id, report, fits)
    found = session.scalars(select(Run.verdict).where(Run.id.in_(newest)))
    return [verdict for verdict in found if verdict]


def _now() -> list[ColumnElement[bool]]:
    """Say of a run that it tells how things are; a look at the past does not."""
    return [
        OF_CASE.data["as_of"].as_string().is_(None),
        OF_CASE.status == Status.FINISHED,
        OF_CASE.verdict != Verdict.CANCELLED,
    ]


def _of_report(project_id: str, report: str, fits: list[ColumnElement[bool]]) -> Select[Any]:
    cases = (CaseHead.project_id == project_id, CaseHead.report == report)
    return newest_of_cases(*cases, fits=fits)


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
