"""Work whose worker is lost, let go, cancelled or put off."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from provenance.ledger.cancel import cancel_run
from provenance.ledger.claims import (
    MAX_ATTEMPTS,
    MAX_POSTPONED,
    Claim,
    ClaimLostError,
    cancel_requested,
    claim,
    claim_next,
    expired,
    finish,
    give_back,
    owners,
    postpone,
    queue_again,
    release,
    waiting,
)
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.finding import UnknownRunError
from provenance.ledger.states import Status, Trigger, Verdict
from provenance.ledger.tables import Evaluation, Run, RunEvent
from tests.support.claiming import lose, row, take
from tests.support.rows import add_evaluation, add_project, add_runs

ROOT = Path(__file__).resolve().parents[3]
LEASE = 60.0


def test_a_row_without_a_lease_counts_as_lost(ledger: Ledger, run_id: str) -> None:
    take(ledger, run_id)
    with ledger.writing() as session:
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=None))
    with ledger.reading() as session:
        assert expired(session, Run) == [run_id]
    with ledger.writing() as session:
        assert give_back(session, Run, run_id) == Status.QUEUED


def test_the_run_of_a_process_that_is_gone_is_given_back_before_its_lease_ends(
    ledger: Ledger, run_id: str
) -> None:
    take(ledger, run_id, "host/7/0")
    with ledger.reading() as session:
        assert owners(session, Run, "host") == {run_id: "host/7/0"}
        assert owners(session, Run, "ho_t") == {}
        assert owners(session, Run, "other") == {}
    with ledger.writing() as session:
        assert give_back(session, Run, run_id, "host/8/0") == Status.RUNNING
        assert give_back(session, Run, run_id, "host/7/0") == Status.QUEUED
    found = row(ledger, run_id)
    assert (found.owner, found.lease_until, found.rung_at) == (None, None, None)


def test_a_run_that_loses_its_third_worker_is_buried(
    ledger: Ledger, evaluation: Evaluation, run_id: str
) -> None:
    for attempt in range(1, MAX_ATTEMPTS):
        assert take(ledger, run_id).attempt == attempt
        assert lose(ledger, run_id) == Status.QUEUED
    claimed = take(ledger, run_id)
    with ledger.writing() as session:
        session.add(RunEvent(run_id=run_id, seq=1, kind="log", payload={}))
    assert lose(ledger, run_id) == Status.DEAD
    found = row(ledger, run_id)
    assert found.verdict == Verdict.WORKER_LOST
    assert found.finished_at is not None
    assert found.error is not None
    assert "3 times" in found.error["message"]
    assert found.error["hint"]
    with pytest.raises(ClaimLostError), ledger.writing() as session:
        finish(session, claimed, verdict=Verdict.PASSED)
    with ledger.reading() as session:
        assert session.scalar(select(func.count()).select_from(RunEvent)) == 0
        closed = session.get_one(Evaluation, evaluation.id)
    assert (closed.status, closed.verdict) == (Status.FINISHED, Verdict.WORKER_LOST)


def test_a_run_of_a_working_tree_is_buried_at_once(ledger: Ledger) -> None:
    evaluation = add_evaluation(
        ledger, add_project(ledger), trigger=Trigger.CLI, prepared=True, status=Status.RUNNING
    )
    (run_id,) = add_runs(ledger, evaluation)
    take(ledger, run_id)
    assert lose(ledger, run_id) == Status.DEAD
    assert row(ledger, run_id).error["message"] == "Its worker was lost."  # type: ignore[index]


def test_a_cancelled_run_is_not_queued_again(ledger: Ledger, run_id: str) -> None:
    claimed = take(ledger, run_id)
    with ledger.writing() as session:
        assert not cancel_requested(session, claimed)
        cancel_run(session, run_id)
    with ledger.reading() as session:
        assert cancel_requested(session, claimed)
    assert row(ledger, run_id).status == Status.RUNNING
    assert lose(ledger, run_id) == Status.FINISHED
    assert row(ledger, run_id).verdict == Verdict.CANCELLED


def test_a_queued_run_that_is_cancelled_never_starts(
    ledger: Ledger, evaluation: Evaluation, run_id: str
) -> None:
    with ledger.writing() as session:
        cancel_run(session, run_id)
    with ledger.writing() as session:
        assert claim(session, Run, run_id, "host/1/0", LEASE) is None
        assert cancel_run(session, run_id).verdict == Verdict.CANCELLED
    with ledger.reading() as session:
        assert session.get_one(Evaluation, evaluation.id).verdict == Verdict.CANCELLED
    with pytest.raises(UnknownRunError), ledger.writing() as session:
        cancel_run(session, "run_nowhere")


def test_cancel_and_claim_at_once_agree_on_one_outcome(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    def cancel(run_id: str) -> None:
        with ledger.writing() as session:
            cancel_run(session, run_id)

    def start(run_id: str) -> Any:
        with ledger.writing() as session:
            return claim(session, Run, run_id, "host/1/0", LEASE)

    for run_id in add_runs(ledger, evaluation, 10):
        with ThreadPoolExecutor(2) as pool:
            claimed, _ = pool.submit(start, run_id), pool.submit(cancel, run_id)
        found = row(ledger, run_id)
        assert found.cancel_requested
        expected = Status.RUNNING if claimed.result() else Status.FINISHED
        assert found.status == expected


def test_a_run_that_is_let_go_does_not_count_the_attempt(ledger: Ledger, run_id: str) -> None:
    for _ in range(MAX_ATTEMPTS + 1):
        claimed = take(ledger, run_id)
        assert claimed.attempt == 1
        with ledger.writing() as session:
            release(session, claimed)
    found = row(ledger, run_id)
    assert (found.status, found.attempt, found.owner) == (Status.QUEUED, 0, None)


def test_work_is_postponed_for_more_than_an_hour_and_then_has_to_end(
    ledger: Ledger, run_id: str
) -> None:
    told = {"kind": "repository_unreachable", "message": "no answer"}
    pauses = []
    for _ in range(MAX_POSTPONED):
        claimed = take(ledger, run_id)
        with ledger.writing() as session:
            assert postpone(session, claimed, told)
        found = row(ledger, run_id)
        assert (found.status, found.error, found.attempt) == (Status.QUEUED, told, 0)
        pauses.append((found.run_after - utc_now()).total_seconds())
        with ledger.reading() as session:
            assert waiting(session, Run, 10) == [], "it has to wait for a while"
    assert sum(pauses) > 3600
    claimed = take(ledger, run_id)
    with ledger.writing() as session:
        assert not postpone(session, claimed, told)
    assert row(ledger, run_id).status == Status.RUNNING


TOLD = {"kind": "repository_unreachable", "message": "no answer"}


def test_postponed_work_is_not_claimed_before_its_pause_is_over(
    ledger: Ledger, run_id: str
) -> None:
    claimed = take(ledger, run_id)
    with ledger.writing() as session:
        assert postpone(session, claimed, TOLD)
    found = row(ledger, run_id)
    assert (found.status, found.error, found.owner) == (Status.QUEUED, TOLD, None)
    with ledger.writing() as session:
        assert claim_next(session, Run, "host/2/0", LEASE) is None
        session.execute(update(Run).where(Run.id == run_id).values(run_after=utc_now()))
    with ledger.writing() as session:
        assert claim_next(session, Run, "host/2/0", LEASE) == Claim(Run, run_id, "host/2/0", 1)


def test_a_run_that_nobody_else_could_make_is_not_postponed(ledger: Ledger) -> None:
    evaluation = add_evaluation(
        ledger, add_project(ledger), trigger=Trigger.CLI, prepared=True, status=Status.RUNNING
    )
    claimed = take(ledger, add_runs(ledger, evaluation)[0])
    with ledger.writing() as session:
        assert not postpone(session, claimed, TOLD)


@pytest.mark.parametrize(
    ("kind", "again"),
    [("repository_unreachable", True), ("unknown_revision", True), ("manifest", False)],
)
def test_an_evaluation_is_queued_again_where_its_commit_was_not_to_blame(
    ledger: Ledger, kind: str, again: bool
) -> None:
    evaluation = add_evaluation(ledger, add_project(ledger))
    with ledger.writing() as session:
        claimed = claim(session, Evaluation, evaluation.id, "host/1/0", LEASE)
        assert claimed is not None
        assert not queue_again(session, evaluation.id), "it is worked on"
        finish(session, claimed, verdict=Verdict.ERROR, error={"kind": kind, "message": "x"})
    with ledger.writing() as session:
        assert queue_again(session, evaluation.id) is again
    with ledger.writing() as session:
        assert (claim_next(session, Evaluation, "host/1/0", LEASE) is not None) is again
