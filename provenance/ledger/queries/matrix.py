"""The page of a project: commits against reports."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.projects import branch_names, report_names
from provenance.ledger.queries.runs import PAGE, RunRow, page_of, run_rows, select_rows
from provenance.ledger.tables import Commit, Project, Run


@dataclass(frozen=True)
class MatrixRow:
    """One commit, and the newest run of every case under each report."""

    commit: Commit
    cells: dict[str, tuple[RunRow, ...]]

    @property
    def evaluation_id(self) -> str:
        """The newest evaluation among those that the shown runs belong to."""
        return max(run.evaluation_id for runs in self.cells.values() for run in runs)


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
    commits, older = page_of(_commits(session, project.id, branch, before))
    reports = tuple(report_names(session, project.id))
    names = case_names(session, [(project.id, report) for report in reports])
    cells = _cells(session, project.id, branch, [commit.sha for commit in commits])
    rows = tuple(
        MatrixRow(commit, _in_order(cells[commit.sha], names))
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
    return session.scalars(query.order_by(*order).limit(PAGE + 1)).all()


def _cells(
    session: Session, project_id: str, branch: str | None, shas: Sequence[str]
) -> dict[str, list[RunRow]]:
    newest = select(func.max(Run.id)).where(Run.project_id == project_id, Run.commit_sha.in_(shas))
    newest = newest.where(Run.purpose.is_(None), Run.dirty.is_(None))
    if branch:
        newest = newest.where(Run.branch == branch)
    newest = newest.group_by(Run.commit_sha, Run.report, Run.case_key)
    found: dict[str, list[RunRow]] = defaultdict(list)
    for run in run_rows(session, select_rows().where(Run.id.in_(newest))):
        found[run.commit_sha].append(run)
    return found


def _in_order(runs: Sequence[RunRow], names: CaseNames) -> dict[str, tuple[RunRow, ...]]:
    cells: dict[str, list[RunRow]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: names(run.project_id, run.report, run.case_key)):
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
