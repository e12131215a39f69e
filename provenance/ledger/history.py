"""Which key a job had the last time: what a plan compares with to say what has changed."""

from dataclasses import dataclass

from sqlalchemy import Select, select
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
class Case:
    """The runs that a new one is compared with: those of one case of a report."""

    project_id: str
    report: str
    key: str


def key_at(session: Session, case: Case, commit: str | None, job: str) -> str | None:
    """Return the latest key that *job* had in runs of *case* at *commit*; None without any."""
    query = _keys(case, job).where(Run.commit_sha == commit, Run.dirty.is_(None))
    return session.scalar(query)


def latest_key(session: Session, case: Case, job: str) -> str | None:
    """Return the latest key that *job* had in runs of *case*, of uncommitted work as well."""
    return session.scalar(_keys(case, job))


def _keys(case: Case, job: str) -> Select[str]:
    query = (
        select(RunJob.key)
        .join(Run, Run.id == RunJob.run_id)
        .where(
            Run.project_id == case.project_id,
            Run.report == case.report,
            Run.case_key == case.key,
            Run.purpose.is_(None),
            Run.data["as_of"].as_string().is_(None),
            RunJob.stage == job,
        )
    )
    return query.order_by(RunJob.run_id.desc()).limit(1)


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
