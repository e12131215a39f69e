"""Finding runs by what they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Project, Run


@dataclass(frozen=True)
class RunFilter:
    """What the runs that are looked for have in common; None: anything."""

    project: str | None = None
    report: str | None = None
    commit: str | None = None
    """The first hexadecimal digits of a commit, or all of them."""
    branch: str | None = None
    status: Status | None = None
    verdict: Verdict | None = None
    purpose: str | None = None
    """``reproduce`` or ``whatif``; None: only runs like any other."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Values of parameters, as texts."""


@dataclass(frozen=True)
class Page:
    """Some of the runs that were found, newest first."""

    runs: Sequence[Run]
    next: str | None
    """Where the next page begins: to be given as *after*; None where there is none."""


def search_runs(
    session: Session,
    wanted: RunFilter,
    limit: int,
    after: str | None,
    options: Sequence[ORMOption] = (),
) -> Page:
    """Return at most *limit* runs older than *after*, the id of a run."""
    query = select(Run).join(Run.project).where(*_conditions(session, wanted))
    if after is not None:
        query = query.where(Run.id < after)
    query = query.order_by(Run.id.desc()).limit(limit + 1).options(*options)
    found = session.scalars(query).unique().all()
    runs = found[:limit]
    return Page(runs, runs[-1].id if len(found) > limit else None)


def _conditions(session: Session, wanted: RunFilter) -> list[ColumnElement[bool]]:
    columns: list[tuple[Any, Any]] = [
        (Project.name, wanted.project),
        (Run.report, wanted.report),
        (Run.branch, wanted.branch),
        (Run.status, wanted.status),
        (Run.verdict, wanted.verdict),
    ]
    conditions = [column == value for column, value in columns if value is not None]
    conditions.append(Run.purpose.is_not_distinct_from(wanted.purpose))
    if wanted.commit is not None:
        conditions.append(Run.commit_sha.startswith(wanted.commit, autoescape=True))
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    is_value = _is_on_sqlite if on_sqlite else _is
    return conditions + [is_value(name, text) for name, text in wanted.params.items()]


def _is(name: str, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = Run.params[name].as_string() == text
    return found


def _is_on_sqlite(name: str, text: str) -> ColumnElement[bool]:
    """Compare with the value's own type: SQLite gives numbers as numbers, true as 1."""
    kind = func.json_type(Run.params, f'$."{name}"')
    alike: list[ColumnElement[bool]] = [
        and_(kind.not_in(("true", "false")), Run.params[name].as_string() == text)
    ]
    if text in ("true", "false"):
        alike.append(kind == text)
    if (number := _number(text)) is not None:
        alike.append(and_(kind.in_(("integer", "real")), Run.params[name].as_float() == number))
    return or_(*alike)


def _number(text: str) -> float | None:
    try:
        value = json.loads(text)
        return None if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
