"""What stages may do to the machine, and what is left of it: nothing, and the words why."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.processes import marked_processes
from provenance.ledger.cancel import cancel_run
from provenance.ledger.tables import Run
from tests.pipeline.weather import staged
from tests.support.evaluations import Bench, Told, in_thread
from tests.support.repository import Repository
from tests.support.waiting import wait_for

MakeRepository = Callable[..., Repository]
MB = 1_000_000
DAEMON = """\
import os, signal, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(1)
        os._exit(0)
"""


@pytest.fixture
def stage(evaluate: Bench, git_project: MakeRepository) -> Iterator[Callable[..., Told]]:
    """Runs the body of a stage's function, with limits; afterwards nothing of it is there."""

    def run(body: str, limits: str = "", head: str = "") -> Told:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        code = f"{head}def build():\n    print('begun', flush=True)\n{lines}"
        return evaluate(git_project(staged(code, f"limits = {{ {limits} }}\n"))).run

    yield run
    nothing_is_left(evaluate)


def nothing_is_left(evaluate: Bench) -> None:
    assert marked_processes(f"{evaluate.installation.home}:") == {}
    work = evaluate.installation.work
    assert not work.exists() or list(work.iterdir()) == []


def test_a_stage_that_takes_too_much_memory_is_out_of_memory(stage: Callable[..., Told]) -> None:
    run = stage("x = []\nwhile True: x.append(b'1' * 5_000_000)", 'memory = "150 MB"')
    assert (run.verdict, run.error["kind"]) == ("out_of_memory", "out_of_memory"), run.error
    assert "of memory, 150 MB are allowed" in run.error["message"]
    assert "limits = { memory = … }" in run.error["hint"]
    assert "PROVENOTE_MEMORY" in run.error["hint"]
    assert "begun" in run.log


def test_a_fork_bomb_is_ended_and_told(stage: Callable[..., Told]) -> None:
    bomb = "import os, time\nfor _ in range(8): os.fork()\ntime.sleep(60)"  # 256, and no more
    run = stage(bomb, "processes = 20")
    assert (run.verdict, run.error["kind"]) == ("error", "processes")
    assert "processes at once, 20 are allowed" in run.error["message"]
    assert "begun" in run.log


def test_a_stage_that_fills_the_disk_is_ended_and_told(stage: Callable[..., Told]) -> None:
    body = "for i in range(10_000): open(str(i), 'wb').write(bytes(1_000_000))"
    run = stage(body, 'disk = "20 MB"')
    assert (run.verdict, run.error["kind"]) == ("error", "disk")
    assert "on the disk, 20 MB are allowed" in run.error["message"]


def test_a_gigabyte_of_output_is_cut_with_a_note(
    stage: Callable[..., Told], evaluate: Bench
) -> None:
    evaluate.runner.start()
    process = evaluate.runner._process
    assert process is not None
    # It has served other tests: what counts is how much more it needs for this one.
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    before = memory(process.pid, "VmHWM")
    run = stage(
        "line = 'x' * 999_999 + '\\n'\nfor _ in range(1_000): print(line, end='')\nreturn 'done'",
        'output = "1 MB"',
    )
    assert run.verdict == "passed"
    assert len(run.log) < 1.1 * MB
    assert "[cut: the log is limited to 1,000,000 bytes]" in run.log
    assert memory(process.pid, "VmHWM") - before < 400 * MB


def memory(pid: int, name: str) -> int:
    """Return what the kernel says of a process's memory, in bytes."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in told.splitlines() if line.startswith(name)).split()[1]) * 1024


def test_what_a_stage_asks_for_is_cut_to_what_the_operator_allows(
    stage: Callable[..., Told],
) -> None:
    run = stage("return 'done'", "processes = 5_000")
    assert run.verdict == "passed"
    assert "Stage made asks for 5000 as processes; the operator allows 1000." in run.log


def test_a_stage_that_ignores_signals_and_daemonises_is_gone_when_cancelled(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = f"{DAEMON}def build():\n    daemon()\n    while True: time.sleep(1)\n"
    run_id = evaluate.ask(git_project(staged(body)), "daily")
    with in_thread(evaluate.execute, run_id) as answers:
        wait_for(lambda: len(marked_processes(f"{evaluate.installation.home}:")) > 2, "daemons")
        with evaluate.installation.ledger.writing() as session:
            cancel_run(session, run_id)
        asked = time.monotonic()
    assert time.monotonic() - asked < 15
    assert answers[0].verdict == "cancelled"
    nothing_is_left(evaluate)


def test_what_is_cancelled_before_it_was_started_never_starts(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    run_id = evaluate.ask(git_project(staged("def build(): return 1\n")), "daily")
    with evaluate.installation.ledger.writing() as session:
        cancel_run(session, run_id)
    with pytest.raises(AssertionError):
        evaluate.claim(Run, run_id)
    with evaluate.installation.ledger.reading() as session:
        run = session.get_one(Run, run_id)
    assert (run.verdict, run.attempt, run.started_at) == ("cancelled", 0, None)
