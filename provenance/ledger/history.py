"""Which key a job had the last time: what a plan compares with to say what has changed."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.ids import new_id
from provenance.ledger.tables import Run, RunJob, StageRecord


def last_key(session: Session, project_id: str, name: str, params_key: str) -> str | None:
    """Return the latest key of *name* with these parameters, or else with any."""
    newest = select(StageRecord.key).where(
        StageRecord.project_id == project_id, StageRecord.name == name
    )
    newest = newest.order_by(StageRecord.at.desc(), StageRecord.id.desc()).limit(1)
    same = session.scalar(newest.where(StageRecord.params_key == params_key))
    return same or session.scalar(newest)


@dataclass(frozen=True)
class Baseline:
    """The runs that a new one is compared with: of one case of a report, at an earlier commit."""

    project_id: str
    report: str
    case_key: str
    commit: str | None


def key_at(session: Session, baseline: Baseline, job: str) -> str | None:
    """Return the latest key that *job* had in the runs of *baseline*; None without any."""
    query = (
        select(RunJob.key)
        .join(Run, Run.id == RunJob.run_id)
        .where(
            Run.project_id == baseline.project_id,
            Run.commit_sha == baseline.commit,
            Run.report == baseline.report,
            Run.case_key == baseline.case_key,
            Run.dirty.is_(None),
            Run.purpose.is_(None),
            Run.data["as_of"].as_string().is_(None),
            RunJob.stage == job,
        )
    )
    return session.scalar(query.order_by(RunJob.run_id.desc()).limit(1))


def key_in(session: Session, run_id: str, job: str) -> str | None:
    """Return the key that *job* had in one run; None where the run has no such job."""
    query = select(RunJob.key).where(RunJob.run_id == run_id, RunJob.stage == job)
    return session.scalar(query)


def remember_key(session: Session, project_id: str, name: str, params_key: str, key: str) -> None:
    """Note that *name* has this key now, unless it had it already."""
    if last_key(session, project_id, name, params_key) == key:
        return
    row = StageRecord(
        id=new_id("key"), project_id=project_id, name=name, params_key=params_key, key=key
    )
    session.add(row)
