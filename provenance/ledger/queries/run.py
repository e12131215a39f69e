"""The page of one run."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session, selectinload

from provenance.ledger.finding import no_run
from provenance.ledger.queries.cases import cases_of, label_of
from provenance.ledger.queries.metrics import MetricChange, changes_of, previous_runs
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.tables import Commit, Run

MOST_LATER = 20


@dataclass(frozen=True)
class RunPage:
    """A run with all that is known of it."""

    run: Run
    commit: Commit | None
    case: str
    metrics: tuple[MetricChange, ...]
    previous: RunRow | None
    source: RunRow | None
    """The run whose result this one reused."""
    stands_for: tuple[RunRow, ...]
    """Later runs at other commits that reused this one's result, newest first."""


def run_page(session: Session, run_id: str) -> RunPage:
    """Return the run with all that belongs to it, or raise UnknownRunError."""
    collections = (Run.metrics, Run.checks, Run.inputs, Run.jobs)
    loading = [selectinload(collection) for collection in collections]
    run = session.get(Run, run_id, options=loading)
    if run is None:
        raise no_run(session, run_id)
    before = previous_runs(session, [run_id]).get(run_id)
    near = _by_id(session, [found for found in (before, run.reused_from) if found])
    labels = {case.key: case.label for case in cases_of(session, [(run.project_id, run.report)])}
    return RunPage(
        run,
        session.get(Commit, (run.project_id, run.commit_sha)),
        labels.get(run.case_key) or label_of(run.case, sorted(run.case)),
        changes_of(session, [run_id])[run_id],
        near.get(before or ""),
        near.get(run.reused_from or ""),
        _stands_for(session, run),
    )


def _by_id(session: Session, run_ids: Sequence[str]) -> dict[str, RunRow]:
    if not run_ids:
        return {}
    return {row.id: row for row in run_rows(session, select_rows().where(Run.id.in_(run_ids)))}


def _stands_for(session: Session, run: Run) -> tuple[RunRow, ...]:
    if run.key is None or run.reused:
        return ()
    later = (
        Run.key == run.key,
        Run.project_id == run.project_id,
        Run.reused.is_(True),
        Run.purpose.is_(None),
        Run.commit_sha != run.commit_sha,
        Run.id > run.id,
    )
    query = select_rows().where(*later).order_by(Run.id.desc()).limit(MOST_LATER)
    first_of_commit = {row.commit_sha: row for row in reversed(run_rows(session, query))}
    return tuple(reversed(first_of_commit.values()))
