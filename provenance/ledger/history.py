"""Which key a job had the last time: what a plan compares with to say what has changed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.ids import new_id
from provenance.ledger.tables import Commit, Run, RunJob, StageRecord


def last_key(session: Session, project_id: str, name: str, params_key: str) -> str | None:
    """Return the latest key of *name* with these parameters, or else with any."""
    newest = select(StageRecord.key).where(
        StageRecord.project_id == project_id, StageRecord.name == name
    )
    newest = newest.order_by(StageRecord.at.desc(), StageRecord.id.desc()).limit(1)
    same = session.scalar(newest.where(StageRecord.params_key == params_key))
    return same or session.scalar(newest)


def key_at_parent(session: Session, run: Run, job: str) -> str | None:
    """Return the key that *job* had for the same case at the commit before that of *run*."""
    parent = select(Commit.parent).where(
        Commit.project_id == run.project_id, Commit.sha == run.commit_sha
    )
    query = (
        select(RunJob.key)
        .join(Run, Run.id == RunJob.run_id)
        .where(
            Run.project_id == run.project_id,
            Run.commit_sha == parent.scalar_subquery(),
            Run.report == run.report,
            Run.case_key == run.case_key,
            RunJob.stage == job,
        )
    )
    return session.scalar(query.order_by(RunJob.run_id.desc()).limit(1))


def remember_key(session: Session, project_id: str, name: str, params_key: str, key: str) -> None:
    """Note that *name* has this key now, unless it had it already."""
    if last_key(session, project_id, name, params_key) == key:
        return
    row = StageRecord(
        id=new_id("key"), project_id=project_id, name=name, params_key=params_key, key=key
    )
    session.add(row)
