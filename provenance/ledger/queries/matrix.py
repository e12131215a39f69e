"""The page of a project: commits against reports."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.projects import branch_names, report_names
from provenance.ledger.queries.runs import page_of
from provenance.ledger.states import Status
from provenance.ledger.tables import Commit, Project, Run

COMMITS = 20
"""Rows of the matrix before its link to older ones."""


class MatrixRun(NamedTuple):
    """What the matrix says of one run."""

    id: str
    evaluation_id: str
    commit_sha: str
    report: str
    case_key: str
    status: Status
    verdict: str | None
    reused: bool
    seconds: float | None
    instead: float | None
    """Seconds that the run took whose result was reused; null where none was."""


@dataclass(frozen=True)
class MatrixRow:
    """One commit, and the newest run of every case under each report."""

    commit: Commit
    cells: dict[str, tuple[MatrixRun, ...]]

    @property
    def runs(self) -> list[MatrixRun]:
        """All of them."""
        return [run for runs in self.cells.values() for run in runs]

    @property
    def executed(self) -> float:
        """Seconds that its runs took; stages may be executed where the report is reused."""
        return sum(run.seconds or 0.0 for run in self.runs)

    @property
    def saved(self) -> float:
        """Seconds that its reused runs would have taken more."""
        return sum(max(0.0, (run.instead or 0.0) - (run.seconds or 0.0)) for run in self.runs)

    @property
    def evaluation_id(self) -> str:
        """The newest evaluation among those that the shown runs belong to."""
        return max(run.evaluation_id for run in self.runs)


@dataclass(frozen=True)
class Matrix:
    """A page of commits, newest first."""

    reports: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    branches: tuple[str, ...]
    case_name: CaseNames
    older: str | None
    """SHA to give as *before* for the next page."""


def project_matrix(
    session: Session, project: Project, branch: str | None = None, before: str | None = None
) -> Matrix:
    """Return commits of the project with runs, narrowed to *branch*, older than SHA *before*.

    A run of uncommitted changes is no run of the commit they were made on.
    """
    commits, older = page_of(_commits(session, project.id, branch, before), COMMITS)
    reports = tuple(report_names(session, project.id))
    names = case_names(session, [(project.id, report) for report in reports])
    cells = _cells(session, project.id, branch, [commit.sha for commit in commits])
    rows = tuple(
        MatrixRow(commit, _in_order(project.id, cells[commit.sha], names))
        for commit in _children_first(commits)
    )
    return Matrix(
        reports,
        rows,
        tuple(branch_names(session, project.id)),
        names,
        commits[-1].sha if older else None,
    )


def _commits(
    session: Session, project_id: str, branch: str | None, before: str | None
) -> Sequence[Commit]:
    made = exists().where(Run.project_id == project_id, Run.commit_sha == Commit.sha)
    made = made.where(Run.purpose.is_(None), Run.dirty.is_(None))
    if branch:
        made = made.where(Run.branch == branch)
    query = select(Commit).where(Commit.project_id == project_id, made)
    edge = session.get(Commit, (project_id, before)) if before else None
    if edge is not None:
        same_time = (Commit.committed_at == edge.committed_at) & (Commit.sha < edge.sha)
        query = query.where(or_(Commit.committed_at < edge.committed_at, same_time))
    order = (Commit.committed_at.desc(), Commit.sha.desc())
    return session.scalars(query.order_by(*order).limit(COMMITS + 1)).all()


def _cells(
    session: Session, project_id: str, branch: str | None, shas: Sequence[str]
) -> dict[str, list[MatrixRun]]:
    newest = select(func.max(Run.id)).where(Run.project_id == project_id, Run.commit_sha.in_(shas))
    newest = newest.where(Run.purpose.is_(None), Run.dirty.is_(None))
    if branch:
        newest = newest.where(Run.branch == branch)
    newest = newest.group_by(Run.commit_sha, Run.report, Run.case_key)
    source = aliased(Run)
    of_run = [getattr(Run, name) for name in MatrixRun._fields if name != "instead"]
    query = select(*of_run, source.seconds).outerjoin(source, source.id == Run.reused_from)
    found: dict[str, list[MatrixRun]] = defaultdict(list)
    for row in session.execute(query.where(Run.id.in_(newest))):
        found[row.commit_sha].append(MatrixRun(*tuple(row)))
    return found


def _in_order(
    project_id: str, runs: Sequence[MatrixRun], names: CaseNames
) -> dict[str, tuple[MatrixRun, ...]]:
    cells: dict[str, list[MatrixRun]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: names(project_id, run.report, run.case_key)):
        cells[run.report].append(run)
    return {report: tuple(found) for report, found in cells.items()}


def _children_first(commits: Sequence[Commit]) -> list[Commit]:
    """Order commits of the same second, as a scripted history has them, by descent."""
    place = {commit.sha: commit for commit in commits}

    def depth(commit: Commit) -> int:
        steps, parent = 0, place.get(commit.parent or "")
        while parent is not None and parent.committed_at == commit.committed_at:
            if steps > len(place):
                break
            steps, parent = steps + 1, place.get(parent.parent or "")
        return steps

    by_descent = sorted(commits, key=depth, reverse=True)
    return sorted(by_descent, key=attrgetter("committed_at"), reverse=True)
