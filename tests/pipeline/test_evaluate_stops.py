"""Evaluations that are ended from outside: by time, by a person, by a lost worker."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import func, select

from pipeline.evaluate import evaluate_run
from pipeline.installation import Installation, Limits
from pipeline.kernels.hosts import KernelHosts
from pipeline.processes import marked_processes
from pipeline.runner.client import Runner, RunnerStoppedError
from provenance.ledger.cancel import cancel_run
from provenance.ledger.claims import ClaimLostError, release
from provenance.ledger.states import Status
from provenance.ledger.tables import Run, RunEvent
from provenance.ledger.times import CaseKey, Took, expected_times
from tests.pipeline.weather import single, staged
from tests.support.evaluations import Bench, in_thread
from tests.support.repository import Repository, notebook
from tests.support.waiting import wait_for

MakeRepository = Callable[..., Repository]
FIRST = "import provenote\nprovenote.metric('seen', 1)\nprint('finished ' + 'cell')"
STUBBORN = """\
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('at ' + 'work')
if os.fork() == 0:
    os.setsid()
    while True: time.sleep(1)
while True:
    try: time.sleep(600)
    except KeyboardInterrupt: pass
"""
ENDLESS = single(notebook(FIRST, STUBBORN))


def row(evaluate: Bench, run_id: str) -> Run:
    with evaluate.installation.ledger.reading() as session:
        return session.get_one(Run, run_id)


def until_a_cell_is_done(evaluate: Bench, run_id: str) -> None:
    wait_for(lambda: row(evaluate, run_id).cells_done >= 1, "the first cell to end", 60)


def at_work(evaluate: Bench, run_id: str) -> list[tuple[int, str]]:
    """Return the cell at work and what it has printed."""
    query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind == "at_work")
    with evaluate.installation.ledger.reading() as session:
        found = [event.payload for event in session.scalars(query)]
    return [(payload["cell"], payload["text"]) for payload in found]


def expected(evaluate: Bench, run_id: str) -> Took | None:
    """Return how the next run of the same case is expected to spend its time."""
    run = row(evaluate, run_id)
    case = CaseKey(run.project_id, run.report, run.case_key)
    with evaluate.installation.ledger.reading() as session:
        return expected_times(session, [case]).get(case)


def cancel(evaluate: Bench, run_id: str) -> None:
    with evaluate.installation.ledger.writing() as session:
        cancel_run(session, run_id)


def test_a_cancelled_report_ends_soon_and_keeps_what_it_had_finished(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    repository = git_project(ENDLESS)
    run_id = evaluate.ask(repository, "daily")
    with in_thread(evaluate.execute, run_id) as answers:
        until_a_cell_is_done(evaluate, run_id)
        with evaluate.installation.ledger.reading() as session:
            events = session.scalars(select(RunEvent).where(RunEvent.run_id == run_id)).all()
        assert [event.payload["index"] for event in events if event.kind == "cell"] == [0]
        wait_for(lambda: row(evaluate, run_id).doing == "cell 2", "the second cell")
        wait_for(lambda: at_work(evaluate, run_id) == [(1, "at work\n")], "what it prints")
        cancel(evaluate, run_id)
        asked = time.monotonic()
    assert time.monotonic() - asked < 15
    (run,) = answers
    assert (run.verdict, run.row.status) == ("cancelled", Status.FINISHED)
    assert run.error["kind"] == "cancelled"
    assert run.metrics == {"seen": 1.0}
    assert "finished cell" in run.printed
    assert "finished cell" in run.html
    with evaluate.installation.ledger.reading() as session:
        assert session.scalar(select(func.count()).select_from(RunEvent)) == 0
    assert evaluate.evaluation(run.row.evaluation_id).verdict == "cancelled"
    assert expected(evaluate, run_id) is None, "what was stopped says nothing of the next one"
    again = evaluate.ask(repository, "daily")
    cancel(evaluate, again)
    assert row(evaluate, again).verdict == "cancelled"


def test_a_cancelled_stage_leaves_no_page(evaluate: Bench, git_project: MakeRepository) -> None:
    body = "import time\ndef build():\n    print('begun', flush=True)\n    time.sleep(600)\n"
    run_id = evaluate.ask(git_project(staged(body)), "daily")
    with in_thread(evaluate.execute, run_id) as answers:
        wait_for(lambda: row(evaluate, run_id).doing == "stage made", "the stage", 60)
        cancel(evaluate, run_id)
    (run,) = answers
    assert (run.verdict, run.row.html) == ("cancelled", None)


def test_a_report_that_runs_out_of_time_keeps_what_it_had_finished(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    many = "import time\nfor _ in range(6000): time.sleep(0.1)"
    files = single(notebook("# Page", FIRST, many, "print('never ' + 'run')"), report="timeout = 5")
    run = evaluate(git_project(files)).run
    assert run.verdict == "timed_out"
    assert run.error["kind"] == "timed_out"
    assert "time" in run.error["message"]
    assert run.metrics == {"seen": 1.0}
    assert "finished cell" in run.html
    assert "never run" not in run.printed
    assert (run.row.seconds or 0) < 40


def test_a_cell_that_takes_longer_than_the_operator_allows_is_named(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: object,
    git_project: MakeRepository,
) -> None:
    evaluate = Bench(installation(limits=Limits(cell_seconds=1.0)), runner, hosts)
    slow = "import time\ntime.sleep(600)"
    run = evaluate(git_project(single(notebook("# Page", FIRST, slow)))).run
    assert (run.verdict, run.error["where"]) == ("timed_out", "cell 3")
    assert "longer than 1 s" in run.error["message"]
    assert "finished cell" in run.html


def test_a_stage_that_runs_out_of_its_own_time_is_named(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = "import time\ndef build():\n    print('begun', flush=True)\n    time.sleep(600)\n"
    run = evaluate(git_project(staged(body, "timeout = 2.0\n"))).run
    assert (run.verdict, run.error["stage"]) == ("timed_out", "made")
    assert "took longer than 2" in run.error["message"]
    assert "begun" in run.log


def test_a_runner_that_is_killed_ends_the_run_and_keeps_what_was_finished(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    run_id = evaluate.ask(git_project(ENDLESS), "daily")
    with in_thread(evaluate.execute, run_id) as answers:
        until_a_cell_is_done(evaluate, run_id)
        process = evaluate.runner._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
    (run,) = answers
    assert (run.verdict, run.error["kind"]) == ("error", "died")
    assert "finished cell" in run.html
    # Its kernel knew nothing of the end of the process above it.
    assert marked_processes(f"{evaluate.installation.home}:") == {}


def test_a_worker_that_has_to_go_publishes_nothing_and_another_goes_on(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    gate = threading.Event()
    repository = git_project(single(notebook(FIRST, "import time\ntime.sleep(600)")))
    run_id = evaluate.ask(repository, "daily")
    claimed = evaluate.claim(Run, run_id)
    worker = replace(evaluate.worker(), let_go=gate)
    with in_thread(evaluate_run, claimed, worker) as answers:
        until_a_cell_is_done(evaluate, run_id)
        gate.set()
    (error,) = answers
    assert isinstance(error, RunnerStoppedError)
    assert row(evaluate, run_id).status == Status.RUNNING, "it is its worker's to give back"
    with evaluate.installation.ledger.writing() as session:
        release(session, claimed)
    found = row(evaluate, run_id)
    assert (found.status, found.attempt, found.html) == (Status.QUEUED, 0, None)
    assert list(evaluate.installation.work.iterdir()) == []
    repository.commit({"reports/daily.ipynb": notebook(FIRST)})
    assert evaluate.execute(evaluate.ask(repository, "daily")).verdict == "passed"


def test_a_worker_whose_run_is_anothers_stops_and_publishes_nothing(
    evaluate: Bench, git_project: MakeRepository, fresh_runner: Runner
) -> None:
    run_id = evaluate.ask(git_project(ENDLESS), "daily")
    stale = evaluate.claim(Run, run_id)
    worker = replace(evaluate.worker(fresh_runner), lease=4.0)
    with in_thread(evaluate_run, stale, worker) as answers:
        until_a_cell_is_done(evaluate, run_id)
        with evaluate.installation.ledger.writing() as session:
            taken = session.get_one(Run, run_id)
            taken.owner, taken.attempt = "another/2/0", 2
    (error,) = answers
    assert isinstance(error, ClaimLostError | RunnerStoppedError)
    found = row(evaluate, run_id)
    assert (found.owner, found.attempt) == ("another/2/0", 2)
    assert (found.status, found.verdict, found.html) == (Status.RUNNING, None, None)


def test_what_a_listener_hears_is_what_happens(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    heard: list[dict] = []
    body = "def build():\n    print('from the stage')\n    return 'x'\n"
    repository = git_project(staged(body))
    run_id = evaluate.ask(repository, "daily")
    worker = replace(evaluate.worker(), listener=heard.append)
    evaluate_run(evaluate.claim(Run, run_id), worker)
    kinds = [event["event"] for event in heard]
    assert {"stage", "cell", "log", "doing"} <= set(kinds)
    assert "from the stage" in "".join(e["text"] for e in heard if e["event"] == "log")
    stage = next(event for event in heard if event["event"] == "stage")
    assert (stage["stage"], stage["status"]) == ("made", "executed")
    assert kinds.index("stage") < kinds.index("cell")
    took = expected(evaluate, run_id)
    assert took is not None
    cells = [event["index"] for event in heard if event["event"] == "cell"]
    assert list(took.cells) == cells
    reused = evaluate.execute(evaluate.ask(repository, "daily"))
    assert reused.row.reused
    assert expected(evaluate, run_id) == took, "what was reused took no time"
