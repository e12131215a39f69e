"""Claims: who works on what, on both databases."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from provenance.ledger.claims import (
    MAX_ATTEMPTS,
    Claim,
    ClaimLostError,
    claim,
    claim_next,
    expired,
    finish,
    give_back,
    heartbeat,
    mark_rung,
    note,
    postpone,
    release,
    waiting,
)
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Evaluation, Run
from tests.support.claiming import columns, end, lose, row, take
from tests.support.rows import add_evaluation, add_project, add_runs

ROOT = Path(__file__).resolve().parents[3]
LEASE = 60.0


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
    ledger: Ledger, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    monkeypatch.setattr("provenance.ledger.claims.utc_now", lambda: now)
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
