"""Workers may be killed, stopped and asked to go: every run ends, and is published once."""

import signal
from datetime import timedelta

import psutil

from pipeline.processes import marked_processes
from provenance.ledger.columns import utc_now
from tests.support.processes import LONG, ended
from tests.support.waiting import wait_for
from tests.support.workshop import Workshop


def marked(workshop: Workshop, run_id: str) -> dict[int, str]:
    """Return the processes of users' code that work for the run."""
    return marked_processes(f"{workshop.home.path}:{run_id}:")


def test_a_killed_runner_costs_its_run_only_and_what_was_done_is_kept(workshop: Workshop) -> None:
    worker = workshop.worker()
    run_id, gate = workshop.ask_gated()
    gate.reached()
    for runner in worker.runners:  # its own, and one that waits
        runner.kill()
    row = workshop.finished(run_id)
    assert (row.status, row.verdict, row.attempt) == ("finished", "error", 1)
    assert row.error is not None
    assert row.error["kind"] == "died"
    assert row.html is not None
    assert "the first cell is done" in workshop.installation.store.read(row.html).decode()
    assert row.evaluation.status == "finished"
    wait_for(lambda: not marked(workshop, run_id), "its kernel to end", LONG)
    assert workshop.finished(workshop.ask("quick", workshop.bell)).verdict == "passed"
    assert worker.process.poll() is None


def test_a_worker_that_was_stopped_longer_than_its_lease_publishes_nothing(
    workshop: Workshop,
) -> None:
    first = workshop.worker(LEASE_SECONDS="2")
    run_id, gate = workshop.ask_gated()
    gate.reached()
    first.signal(signal.SIGSTOP)
    try:
        wait_for(lambda: is_expired(workshop, run_id), "its lease to end", LONG)
        second = workshop.worker(LEASE_SECONDS="30").ready()
        wait_for(lambda: workshop.row(run_id).attempt == 2, "the second worker to take it", LONG)
    finally:
        first.signal(signal.SIGCONT)
    gate.open()
    row = workshop.finished(run_id)
    assert (row.verdict, row.attempt) == ("passed", 2)
    wait_for(lambda: "run let go" in first.said, "the first worker to give up", LONG)
    after = workshop.row(run_id)
    assert (after.finished_at, after.verdict) == (row.finished_at, row.verdict)
    assert [job.stage for job in after.jobs] == ["report"]
    assert len(after.checks) == 1
    assert first.process.poll() is second.process.poll() is None


def is_expired(workshop: Workshop, run_id: str) -> bool:
    lease = workshop.row(run_id).lease_until
    return lease is not None and lease < utc_now()


def test_a_running_run_that_nobody_holds_is_taken_back(workshop: Workshop) -> None:
    without_lease = workshop.ask("quick", n=4)
    expired = workshop.ask("quick", n=5)
    owned_by_a_dead_process = workshop.ask("quick", n=6)
    workshop.change(without_lease, status="running", attempt=1, owner=None, lease_until=None)
    past, future = utc_now() - timedelta(seconds=1), utc_now() + timedelta(days=1)
    workshop.change(expired, status="running", attempt=1, owner="far/7/1.00", lease_until=past)
    dead = dead_owner()
    workshop.change(
        owned_by_a_dead_process, status="running", attempt=1, owner=dead, lease_until=future
    )
    workshop.worker()
    for run_id in (without_lease, expired, owned_by_a_dead_process):
        row = workshop.finished(run_id)
        assert (row.verdict, row.attempt) == ("passed", 2)


def dead_owner() -> str:
    """Return the name of an owner on this host that lives no more."""
    from app.work.owner import this_host

    return f"{this_host()}/{max(psutil.pids()) + 1}/1.00"


def test_a_run_that_ends_its_worker_each_time_is_buried_after_three(workshop: Workshop) -> None:
    run_id, gate = workshop.ask_gated()
    for attempt in (1, 2, 3):
        worker = workshop.worker()
        gate.reached(attempt)
        worker.kill()
    workshop.worker()
    row = workshop.finished(run_id)
    assert (row.status, row.verdict, row.attempt) == ("dead", "worker_lost", 3)
    assert row.error is not None
    assert row.error["kind"] == "worker_lost"
    assert (row.evaluation.status, row.evaluation.verdict) == ("finished", "worker_lost")
    assert len(gate.pids) == 3
    wait_for(lambda: not marked(workshop, run_id), "the orphans to be ended", LONG)
    work = workshop.installation.work
    wait_for(lambda: not list(work.iterdir()), "what they worked in to be removed", LONG)


def test_a_worker_that_is_asked_to_end_finishes_what_it_has_and_takes_no_more(
    workshop: Workshop,
) -> None:
    worker = workshop.worker(DRAIN_SECONDS="60", WORKERS="1")
    run_id, gate = workshop.ask_gated()
    gate.reached()
    worker.signal(signal.SIGTERM)
    wait_for(lambda: "Warm shutdown" in worker.said, "the worker to hear of it", LONG)
    later = workshop.ask("quick", workshop.bell)
    gate.open()
    assert ended(worker.process) == 0
    row = workshop.row(run_id)
    assert (row.status, row.verdict, row.attempt) == ("finished", "passed", 1)
    assert workshop.row(later).status == "queued"
    assert workshop.home.is_quiet()


def test_what_a_draining_worker_cannot_finish_goes_back_and_does_not_count(
    workshop: Workshop,
) -> None:
    worker = workshop.worker(DRAIN_SECONDS="0.5")
    run_id, gate = workshop.ask_gated()
    gate.reached()
    worker.signal(signal.SIGTERM)
    assert ended(worker.process) == 0
    row = workshop.row(run_id)
    assert (row.status, row.attempt, row.owner) == ("queued", 0, None)
    assert workshop.home.is_quiet()
    assert list(workshop.installation.work.iterdir()) == []
