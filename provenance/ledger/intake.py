"""Writing what was asked for: commits, and the runs of an evaluation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from provenance.identity.canonical import digest
from provenance.ledger.ids import new_id
from provenance.ledger.inserting import insert_into
from provenance.ledger.states import ABOUT_RUNS, Status
from provenance.ledger.tables import CaseHead, Commit, Evaluation, Run


class CommitFacts(Protocol):
    """What a commit says of itself."""

    @property
    def sha(self) -> str:
        """Its full hash."""
        ...

    @property
    def subject(self) -> str:
        """The first line of its message."""
        ...

    @property
    def author(self) -> str:
        """Who wrote it."""
        ...

    @property
    def committed_at(self) -> datetime:
        """When it was committed."""
        ...

    @property
    def parent(self) -> str | None:
        """Its first parent, or None for the first commit of a history."""
        ...


class CaseToRun(NamedTuple):
    """One report with one set of parameter values."""

    report: str
    params: Mapping[str, Any]
    """Every parameter with its resolved value, in JSON form."""
    origins: Mapping[str, str]
    """Who chose each value: given, case or default."""
    case: Mapping[str, Any]
    """The parameters that tell this case from the report's others."""

    @property
    def case_key(self) -> str:
        """The key that runs of this case share, from commit to commit."""
        return case_key(self.case)


def case_key(case: Mapping[str, Any]) -> str:
    """Return the key of a case; *case* are the parameters that make it, in JSON form."""
    return digest("case", dict(case))


def write_commit(session: Session, project_id: str, commit: CommitFacts) -> None:
    """Keep what *commit* says of itself, so that pages need no git."""
    if session.get(Commit, (project_id, commit.sha)) is not None:
        return
    row = Commit(
        project_id=project_id,
        sha=commit.sha,
        subject=commit.subject,
        author=commit.author,
        committed_at=commit.committed_at,
        parent=commit.parent,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Another transaction wrote the same commit at this moment; commits never change.
        return


def prepare_runs(
    session: Session,
    evaluation: Evaluation,
    commit: CommitFacts,
    cases: Sequence[CaseToRun],
) -> list[Run]:
    """Write the commit and one queued run a case, and return the evaluation's runs.

    A case that the evaluation has already, from an attempt before or by being given twice,
    gets no second run.
    """
    write_commit(session, evaluation.project_id, commit)
    known = _runs_by_dedup_key(session, evaluation)
    for case in cases:
        dedup_key = f"{evaluation.id}:{case.report}:{case.case_key}"
        if dedup_key not in known:
            known[dedup_key] = run = _queued_run(evaluation, commit, case)
            run.dedup_key = dedup_key
            session.add(run)
    if evaluation.trigger not in ABOUT_RUNS:
        note_heads(session, list(known.values()))
    evaluation.commit_sha = commit.sha
    evaluation.prepared = True
    session.flush()
    return list(known.values())


def note_heads(session: Session, runs: Sequence[Run]) -> None:
    """Note that these are the newest runs of their cases, but for those about other runs."""
    usual = [run for run in runs if run.purpose is None]
    newest = {(run.project_id, run.report, run.case_key): run.id for run in usual}
    # In the same order by everybody: no two transactions wait for each other's rows.
    for (project_id, report, key), run_id in sorted(newest.items()):
        values = {"project_id": project_id, "report": report, "case_key": key, "run_id": run_id}
        new = insert_into(session, CaseHead).values(**values)
        later = new.on_conflict_do_update(
            index_elements=["project_id", "report", "case_key"],
            set_={"run_id": new.excluded.run_id},
            where=CaseHead.run_id < new.excluded.run_id,
        )
        session.execute(later)


def _runs_by_dedup_key(session: Session, evaluation: Evaluation) -> dict[str | None, Run]:
    runs = session.scalars(select(Run).where(Run.evaluation_id == evaluation.id).order_by(Run.id))
    return {run.dedup_key: run for run in runs}


def _queued_run(evaluation: Evaluation, commit: CommitFacts, case: CaseToRun) -> Run:
    return Run(
        id=new_id("run"),
        evaluation_id=evaluation.id,
        project_id=evaluation.project_id,
        report=case.report,
        params=dict(case.params),
        origins=dict(case.origins),
        case=dict(case.case),
        case_key=case.case_key,
        commit_sha=commit.sha,
        committed_at=commit.committed_at,
        branch=evaluation.branch,
        status=Status.QUEUED,
    )
