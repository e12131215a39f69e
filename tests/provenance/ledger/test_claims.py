"""Claims: who works on what, on both databases."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from provenance.ledger.cancel import UnknownRunError, cancel_run
from provenance.ledger.claims import (
    MAX_ATTEMPTS,
    MAX_POSTPONED,
    Claim,
    ClaimLostError,
    cancel_requested,
    claim,
    claim_next,
    close_evaluation_if_done,
    expired,
    finish,
    give_back,
    heartbeat,
    mark_rung,
    note,
    owners,
    postpone,
    queue_again,
    release,
    waiting,
)
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.states import Status, Trigger, Verdict
from provenance.ledger.tables import Evaluation, Run, RunEvent
from tests.support.rows import add_evaluation, add_project, add_runs

ROOT = Path(__file__).resolve().parents[3]
LEASE = 60.0


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    return add_evaluation(
        ledger, add_project(ledger), prepared=True, status=Status.RUNNING, started_at=utc_now()
    )


@pytest.fixture
def run_id(ledger: Ledger, evaluation: Evaluation) -> str:
    return add_runs(ledger, evaluation)[0]


def take(ledger: Ledger, run_id: str, owner: str = "host/1/0", lease: float = LEASE) -> Claim:
    with ledger.writing() as session:
        claimed = claim(session, Run, run_id, owner, lease)
    assert claimed is not None
    return claimed


def row(ledger: Ledger, run_id: str) -> Run:
    with ledger.reading() as session:
        return session.get_one(Run, run_id)


def columns(ledger: Ledger, run_id: str) -> dict[str, Any]:
    with ledger.reading() as session:
        query = select(Run.__table__).where(Run.id == run_id)
        return dict(session.execute(query).mappings().one())


def lose(ledger: Ledger, run_id: str, owner: str | None = None) -> Status:
    """Let the lease of a run end, and take the run back."""
    with ledger.writing() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=past))
    with ledger.writing() as session:
        return give_back(session, Run, run_id, owner)


def end(ledger: Ledger, claimed: Claim, verdict: Verdict) -> None:
    with ledger.writing() as session:
        finish(session, claimed, verdict=verdict)
        close_evaluation_if_done(session, session.get_one(Run, claimed.id).evaluation_id)


def test_of_many_threads_exactly_one_gets_each_run(ledger: Ledger, evaluation: Evaluation) -> None:
    ids = add_runs(ledger, evaluation, 12)
    gate = threading.Barrier(8)

    def race(worker: int) -> list[str]:
        gate.wait()
        won = []
        for run_id in ids:
            with ledger.writing() as session:
                claimed = claim(session, Run, run_id, f"host/{worker}/0", LEASE)
            if claimed:
                assert claimed.attempt == 1
                won.append(run_id)
        return won

    with ThreadPoolExecutor(8) as pool:
        won = [run_id for found in pool.map(race, range(8)) for run_id in found]
    assert sorted(won) == ids


RACE = """
import sys
from provenance.ledger.claims import claim
from provenance.ledger.engine import Ledger
from provenance.ledger.tables import Run
url, owner, *ids = sys.argv[1:]
ledger = Ledger(url)
sys.stdin.read(1)
for run_id in ids:
    with ledger.writing() as session:
        if claim(session, Run, run_id, owner, 60.0):
            print(run_id)
"""


def test_of_many_processes_exactly_one_gets_each_run(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    ids = add_runs(ledger, evaluation, 12)
    url = ledger.engine.url.render_as_string(hide_password=False)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, url, f"host/{number}/0", *ids],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("!")
        racer.stdin.flush()
    won = [run_id for racer in racers for run_id in racer.communicate(timeout=60)[0].split()]
    assert [racer.returncode for racer in racers] == [0] * 8
    assert sorted(won) == ids
    assert {row(ledger, run_id).attempt for run_id in ids} == {1}


def test_a_claim_names_owner_attempt_and_lease(ledger: Ledger, run_id: str) -> None:
    claimed = take(ledger, run_id)
    assert claimed == Claim(Run, run_id, "host/1/0", 1)
    found = row(ledger, run_id)
    assert (found.status, found.owner, found.attempt) == (Status.RUNNING, "host/1/0", 1)
    assert found.lease_until is not None
    assert found.started_at is not None
    assert found.lease_until - found.started_at == timedelta(seconds=LEASE)
    with ledger.writing() as session:
        assert claim(session, Run, run_id, "host/2/0", LEASE) is None
        assert claim(session, Run, "run_nowhere", "host/2/0", LEASE) is None


def test_a_worker_that_lost_its_claim_writes_nothing(ledger: Ledger, run_id: str) -> None:
    stale = take(ledger, run_id)
    assert lose(ledger, run_id) == Status.QUEUED
    fresh = take(ledger, run_id)
    assert fresh.attempt == 2
    before = columns(ledger, run_id)
    for write in (
        lambda session: note(session, stale, doing="cell 1"),
        lambda session: finish(session, stale, verdict=Verdict.PASSED),
        lambda session: postpone(session, stale, {"kind": "x"}),
    ):
        with pytest.raises(ClaimLostError), ledger.writing() as session:
            write(session)
    with ledger.writing() as session:
        assert not heartbeat(session, stale, LEASE)
        release(session, stale)
    same_name_other_owner = Claim(Run, run_id, "host/9/0", 2)
    with ledger.writing() as session:
        assert not heartbeat(session, same_name_other_owner, LEASE)
    assert columns(ledger, run_id) == before
    end(ledger, fresh, Verdict.PASSED)
    with pytest.raises(ClaimLostError), ledger.writing() as session:
        finish(session, fresh, verdict=Verdict.ERROR)
    assert row(ledger, run_id).verdict == Verdict.PASSED


def test_a_heartbeat_keeps_the_claim(ledger: Ledger, run_id: str) -> None:
    claimed = take(ledger, run_id, lease=-1.0)
    with ledger.reading() as session:
        assert expired(session, Run) == [run_id]
    with ledger.writing() as session:
        assert heartbeat(session, claimed, LEASE)
    with ledger.reading() as session:
        assert expired(session, Run) == []
    with ledger.writing() as session:
        assert give_back(session, Run, run_id) == Status.RUNNING


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


def test_the_oldest_work_comes_first_and_each_once(ledger: Ledger, evaluation: Evaluation) -> None:
    later = add_runs(ledger, evaluation, 1, run_after=utc_now() + timedelta(hours=1))
    ids = add_runs(ledger, evaluation, 12, run_after=utc_now() - timedelta(seconds=1))
    gate = threading.Barrier(4)

    def race(worker: int) -> list[str]:
        gate.wait()
        won = []
        for _ in range(12):
            with ledger.writing() as session:
                claimed = claim_next(session, Run, f"host/{worker}/0", LEASE)
            if claimed:
                won.append(claimed.id)
        return won

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(race, range(4)))
    assert sorted(run_id for found in won for run_id in found) == ids
    assert all(found == sorted(found) for found in won)
    assert row(ledger, later[0]).status == Status.QUEUED


def test_an_evaluation_ends_with_its_last_run_and_has_the_worst_verdict(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    ids = add_runs(ledger, evaluation, 3)
    verdicts = [Verdict.FAILED, Verdict.TIMED_OUT, Verdict.PASSED]
    for run_id, verdict in zip(ids, verdicts, strict=True):
        with ledger.reading() as session:
            assert session.get_one(Evaluation, evaluation.id).status == Status.RUNNING
        end(ledger, take(ledger, run_id), verdict)
    with ledger.reading() as session:
        closed = session.get_one(Evaluation, evaluation.id)
    assert (closed.status, closed.verdict) == (Status.FINISHED, Verdict.TIMED_OUT)
    assert closed.finished_at is not None


def test_two_last_runs_that_end_at_once_close_their_evaluation(ledger: Ledger) -> None:
    project = add_project(ledger)
    for _ in range(5):
        evaluation = add_evaluation(ledger, project, prepared=True, status=Status.RUNNING)
        claims = [take(ledger, run_id) for run_id in add_runs(ledger, evaluation, 2)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda held: end(ledger, held, Verdict.PASSED), claims))
        with ledger.reading() as session:
            assert session.get_one(Evaluation, evaluation.id).status == Status.FINISHED


def test_an_evaluation_whose_runs_are_not_all_written_stays_open(ledger: Ledger) -> None:
    evaluation = add_evaluation(ledger, add_project(ledger), status=Status.RUNNING)
    (run_id,) = add_runs(ledger, evaluation)
    end(ledger, take(ledger, run_id), Verdict.PASSED)
    with ledger.reading() as session:
        assert session.get_one(Evaluation, evaluation.id).status == Status.RUNNING


def test_a_prepared_evaluation_is_nobodys_to_lose(ledger: Ledger, evaluation: Evaluation) -> None:
    add_runs(ledger, evaluation)
    with ledger.writing() as session:
        assert expired(session, Evaluation) == []
        assert give_back(session, Evaluation, evaluation.id) == Status.RUNNING


def test_an_evaluation_whose_preparing_worker_is_lost_is_prepared_by_another(
    ledger: Ledger,
) -> None:
    evaluation = add_evaluation(ledger, add_project(ledger))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with ledger.writing() as session:
            claimed = claim(session, Evaluation, evaluation.id, "host/1/0", -1.0)
            assert claimed is not None
            assert claimed.attempt == attempt
        with ledger.reading() as session:
            assert expired(session, Evaluation) == [evaluation.id]
        with ledger.writing() as session:
            status = give_back(session, Evaluation, evaluation.id)
        assert status == (Status.QUEUED if attempt < MAX_ATTEMPTS else Status.DEAD)


def test_waiting_work_is_rung_for_oldest_first_and_not_all_the_time(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    now = utc_now()
    young = add_runs(ledger, evaluation, 2, created_at=now)
    old = add_runs(ledger, evaluation, 3, created_at=now - timedelta(seconds=5))
    rung = add_runs(ledger, evaluation, 1, rung_at=now - timedelta(seconds=5))
    long_ago = add_runs(ledger, evaluation, 1, rung_at=now - timedelta(seconds=40))
    with ledger.writing() as session:
        assert waiting(session, Run, 10) == sorted(old + long_ago)
        assert waiting(session, Run, 2) == sorted(old + long_ago)[:2]
        assert waiting(session, Run, 0) == []
        mark_rung(session, Run, old)
    with ledger.reading() as session:
        assert waiting(session, Run, 10) == long_ago
    assert set(young + rung).isdisjoint(old)
