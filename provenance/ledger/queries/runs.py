"""Runs as rows of a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session

from provenance.ledger.states import ENDED, Status
from provenance.ledger.tables import Commit, Project, Run

T = TypeVar("T")

PAGE = 25
"""Rows of a list before its link to older ones."""


@dataclass(frozen=True)
class RunRow:
    """What a list says of one run."""

    id: str
    evaluation_id: str
    project_id: str
    project: str
    report: str
    params: dict[str, Any]
    case_key: str
    commit_sha: str
    subject: str | None
    """First line of the commit's message; null where the commit is not known yet."""
    committed_at: datetime | None
    branch: str | None
    dirty: str | None
    status: Status
    verdict: str | None
    reused: bool
    reused_from: str | None
    html: str | None
    seconds: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cells_done: int
    cells_total: int | None
    cancel_requested: bool
    cell_at: datetime | None
    run_after: datetime | None
    doing: str | None
    error: dict[str, Any] | None
    purpose: str | None
    """``reproduce`` or ``whatif`` for a run about another one."""

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED


_OF_RUN = tuple(
    name
    for name in RunRow.__dataclass_fields__
    if name not in ("project", "subject", "committed_at")
)


def select_rows() -> Select[Any]:
    """Return a query for the columns of `RunRow`, to be narrowed and ordered."""
    columns = [getattr(Run, name) for name in _OF_RUN]
    known_commit = and_(Commit.project_id == Run.project_id, Commit.sha == Run.commit_sha)
    return (
        select(*columns, Project.name.label("project"), Commit.subject, Commit.committed_at)
        .join(Project, Project.id == Run.project_id)
        .outerjoin(Commit, known_commit)
    )


def run_rows(
    session: Session, query: Select[Any], values: Mapping[str, Any] | None = None
) -> list[RunRow]:
    """Run a narrowed `select_rows`, with the *values* of its parameters if it has any."""
    return [_row(row) for row in session.execute(query, values)]


def page_of(rows: Sequence[T], size: int = PAGE) -> tuple[tuple[T, ...], bool]:
    """Split one row too many off *rows*: the page, and whether there are older ones."""
    return tuple(rows[:size]), len(rows) > size


def _row(row: Row[Any]) -> RunRow:
    return RunRow(**row._mapping)
