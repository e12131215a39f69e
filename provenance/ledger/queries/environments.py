"""Environments as pages and programs see them: state, packages, builds, and who was given them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from provenance.errors import InvalidInputError, NotFoundError
from provenance.ledger.environment_tables import EnvironmentBuild, EnvironmentRow, KernelProof
from provenance.ledger.environments import READY
from provenance.ledger.queries.kernels import kernels_of_environments
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.tables import Project, Run

LEAST_DIGITS = 8
MOST = 500
MOST_RUNS = 20
_NEVER = "never"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class UnknownEnvironmentError(NotFoundError):
    """Raised when no environment that was ever asked for has this key."""

    code = "unknown_environment"


class WrongEnvironmentError(InvalidInputError):
    """Raised when digits are too few to mean one environment, or fit several."""

    code = "wrong_environment"


@dataclass(frozen=True)
class UsingReport:
    """A report whose runs were given an environment."""

    project: str
    report: str
    runs: int
    latest: str
    """The newest of these runs."""


@dataclass(frozen=True)
class EnvironmentFound:
    """An environment, whether it is there or not."""

    key: str
    source: str
    python: str
    platform: str
    packages: dict[str, str]
    """Version by name; empty as long as no build has succeeded."""
    state: str
    """That of its newest build, or ``ready`` where an older one stands still."""
    builds: tuple[EnvironmentBuild, ...]
    """Newest first."""
    runs: int
    last_run: datetime | None
    kernels: tuple[KernelProof, ...] = ()
    """What is known of its warm kernels, by what they have imported; those that are off first."""

    @property
    def kernels_off(self) -> tuple[KernelProof, ...]:
        """Those that gave something else than cold ones, until somebody trusts them."""
        return tuple(one for one in self.kernels if one.off_at is not None)

    @property
    def build(self) -> EnvironmentBuild | None:
        """The build that stands, or else the newest."""
        ready = (one for one in self.builds if one.state == READY)
        return next(ready, self.builds[0] if self.builds else None)


@dataclass(frozen=True)
class EnvironmentPage:
    """An environment with those who were given it."""

    found: EnvironmentFound
    reports: tuple[UsingReport, ...]
    latest: tuple[RunRow, ...]


def environments(session: Session) -> list[EnvironmentFound]:
    """Return all environments, those that a run was given last first."""
    newest = (
        select(func.max(Run.id))
        .where(Run.environment == EnvironmentRow.key)
        .correlate(EnvironmentRow)
        .scalar_subquery()
    )
    query = select(EnvironmentRow).options(selectinload(EnvironmentRow.builds))
    last = (newest.desc().nulls_last(), EnvironmentRow.created_at.desc())
    rows = session.scalars(query.order_by(*last).limit(MOST)).all()
    keys = [row.key for row in rows]
    used, kernels = _used(session, keys), kernels_of_environments(session, keys)
    found = [_found(row, used, kernels) for row in rows]
    return sorted(found, key=lambda one: one.last_run or _LONG_AGO, reverse=True)


def environment_page(session: Session, digits: str) -> EnvironmentPage:
    """Return the environment whose key begins with *digits*.

    Raises UnknownEnvironmentError, and WrongEnvironmentError where they are too few.
    """
    row = _row(session, digits.strip().lower())
    kernels = kernels_of_environments(session, [row.key])
    found = _found(row, _used(session, [row.key]), kernels)
    newest = select_rows().where(Run.environment == row.key).order_by(Run.id.desc())
    latest = run_rows(session, newest.limit(MOST_RUNS))
    return EnvironmentPage(found, tuple(_reports(session, row.key)), tuple(latest))


def _row(session: Session, digits: str) -> EnvironmentRow:
    if len(digits) < LEAST_DIGITS or not digits.isascii() or not digits.isalnum():
        raise WrongEnvironmentError(
            f"Found {digits[:80]!r}, expected at least {LEAST_DIGITS} digits of an environment's "
            "key.",
            "`provenote environments` lists them.",
        )
    key = EnvironmentRow.key
    query = select(EnvironmentRow).where(key >= digits, key < f"{digits}g").limit(3)
    rows = session.scalars(query.options(selectinload(EnvironmentRow.builds))).all()
    if not rows:
        raise UnknownEnvironmentError(
            f"There is no environment {digits[:24]}.", "`provenote environments` lists them."
        )
    if len(rows) > 1:
        raise WrongEnvironmentError(f"Several keys begin with {digits}.", "Give more digits.")
    return rows[0]


def _used(session: Session, keys: Sequence[str]) -> dict[str, tuple[int, datetime]]:
    query = (
        select(Run.environment, func.count(), func.max(Run.created_at))
        .where(Run.environment.in_(keys))
        .group_by(Run.environment)
    )
    return {str(key): (count, at) for key, count, at in session.execute(query)}


def _found(
    row: EnvironmentRow,
    used: dict[str, tuple[int, datetime]],
    kernels: dict[str, list[KernelProof]],
) -> EnvironmentFound:
    builds = tuple(row.builds)
    ready = any(one.state == READY for one in builds)
    runs, last = used.get(row.key, (0, None))
    packages: dict[str, Any] = row.packages or {}
    return EnvironmentFound(
        key=row.key,
        source=row.source,
        python=row.python,
        platform=row.platform,
        packages={name: str(packages[name]) for name in sorted(packages)},
        state=READY if ready else builds[0].state if builds else _NEVER,
        builds=builds,
        runs=runs,
        last_run=last,
        kernels=tuple(kernels[row.key]),
    )


def _reports(session: Session, key: str) -> list[UsingReport]:
    query = (
        select(Project.name, Run.report, func.count(), func.max(Run.id))
        .join(Project, Project.id == Run.project_id)
        .where(Run.environment == key)
        .group_by(Project.name, Run.report)
        .order_by(func.max(Run.id).desc())
    )
    return [UsingReport(*row) for row in session.execute(query)]
