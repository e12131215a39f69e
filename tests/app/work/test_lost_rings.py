"""The doorbell may fail in every way: what was accepted is evaluated all the same, and once."""

import shutil

from app.work.broker import broker_folder
from tests.support.processes import LONG
from tests.support.waiting import wait_for
from tests.support.workshop import Workshop


def test_what_nobody_rang_for_is_found_by_the_tick(workshop: Workshop) -> None:
    """As after the web server was killed between its commit and its ring."""
    workshop.worker().ready()
    evaluation = workshop.evaluated(workshop.push())
    assert evaluation.verdict == "passed"
    assert evaluation.rung_at is not None
    assert [run.verdict for run in evaluation.runs] == ["passed"]
    assert workshop.finished(workshop.ask("quick", n=2)).verdict == "passed"


def test_work_rung_for_fifty_times_is_done_once(workshop: Workshop) -> None:
    run_id, gate = workshop.ask_gated()
    bell = workshop.bell
    for _ in range(50):
        bell.ring_run(run_id)
    workshop.worker()
    gate.reached()
    for _ in range(10):
        bell.ring_run(run_id)
    gate.open()
    row = workshop.finished(run_id)
    assert (row.verdict, row.attempt) == ("passed", 1)
    later = workshop.ask("quick", bell)
    assert workshop.finished(later).verdict == "passed"
    queue = broker_folder(workshop.settings) / "queue"
    wait_for(lambda: not list(queue.iterdir()), "all messages to be read", LONG)
    assert len(gate.pids) == 1
    assert workshop.row(run_id).finished_at == row.finished_at


def test_a_deleted_broker_folder_costs_no_push(workshop: Workshop) -> None:
    worker = workshop.worker().ready()
    bell = workshop.bell
    assert workshop.evaluated(workshop.push(bell)).verdict == "passed"
    for _ in range(2):
        shutil.rmtree(broker_folder(workshop.settings))
        assert workshop.evaluated(workshop.push(bell)).verdict == "passed"
    assert workshop.evaluated(workshop.push(bell)).verdict == "passed"
    assert worker.process.poll() is None


def test_message_files_that_a_crash_left_empty_stop_no_worker(workshop: Workshop) -> None:
    queue = broker_folder(workshop.settings) / "queue"
    bell = workshop.bell
    run_id = workshop.ask("quick", bell)
    (queue / "0_broken.provenote.msg").touch()
    workshop.worker()
    assert workshop.finished(run_id).verdict == "passed"
