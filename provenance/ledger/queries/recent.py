"""The commits and branches of a project that evaluations were lately asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.states import ABOUT_RUNS, Trigger
from provenance.ledger.tables import Commit, Evaluation, Project

_LATEST = 300
"""Of so many evaluations, the newest ones, they are taken: a project may have millions."""
MOST_COMMITS = 20
MOST_BRANCHES = 10
# Commits of a working tree need not be in the repository, others name no branch of interest.
_ELSEWHERE = ABOUT_RUNS | {Trigger.CLI}


@dataclass(frozen=True)
class Recent:
    """What somebody probably wants to run: newest first, the default branch before all others."""

    branches: tuple[str, ...]
    commits: tuple[Commit, ...]


def recent_revisions(session: Session, project: Project) -> Recent:
    """Return the branches and commits that were asked for last."""
    columns = (Evaluation.branch, Evaluation.commit_sha, Evaluation.trigger)
    query = select(*columns).where(Evaluation.project_id == project.id)
    latest = session.execute(query.order_by(Evaluation.id.desc()).limit(_LATEST))
    found = [(branch, sha) for branch, sha, trigger in latest if trigger not in _ELSEWHERE]
    branches = dict.fromkeys([project.default_branch, *(one for one, _ in found if one)])
    shas = list(dict.fromkeys(sha for _, sha in found if sha))[:MOST_COMMITS]
    return Recent(tuple(branches)[:MOST_BRANCHES], _commits(session, project.id, shas))


def _commits(session: Session, project_id: str, shas: Sequence[str]) -> tuple[Commit, ...]:
    wanted = select(Commit).where(Commit.project_id == project_id, Commit.sha.in_(shas))
    rows = {commit.sha: commit for commit in session.scalars(wanted)}
    return tuple(sorted(rows.values(), key=lambda one: one.committed_at, reverse=True))
