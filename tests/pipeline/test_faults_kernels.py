"""What templates may do to the machine, and what is left: nothing, and a page that says it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.processes import marked_processes
from pipeline.runner.client import Runner
from provenance.ledger.cancel import cancel_run
from provenance.ledger.tables import Run
from tests.pipeline.weather import single
from tests.support.evaluations import Bench, Told, in_thread
from tests.support.repository import Repository, notebook
from tests.support.waiting import wait_for

MakeRepository = Callable[..., Repository]
FIRST = "import provenote\nprovenote.metric('seen', 1)\nprint('finished ' + 'cell')"
WARM, COLD = "", "warm = false\n"


@pytest.fixture
def report(evaluate: Bench, git_project: MakeRepository) -> Iterator[Callable[..., Told]]:
    """Runs a template of some cells; afterwards nothing of it is there."""

    def run(*cells: str, keys: str = "") -> Told:
        told = evaluate(git_project(single(notebook("# Page", FIRST, *cells), report=keys))).run
        # In each way to end, what was finished is kept and shown.
        assert told.metrics == {"seen": 1.0}
        assert "finished cell" in told.html
        return told

    yield run
    nothing_is_left(evaluate)


def nothing_is_left(evaluate: Bench) -> None:
    assert marked_processes(f"{evaluate.installation.home}:") == {}
    work = evaluate.installation.work
    assert not work.exists() or list(work.iterdir()) == []


@pytest.mark.parametrize("start", [WARM, COLD], ids=["warm", "cold"])
def test_a_cell_that_takes_too_much_memory_is_out_of_memory(
    report: Callable[..., Told], start: str
) -> None:
    hog = "x = []\nwhile True: x.append(b'1' * 5_000_000)"
    run = report(hog, keys=f'{start}limits = {{ memory = "400 MB" }}')
    assert (run.verdict, run.error["where"]) == ("out_of_memory", "cell 3"), run.error
    assert "400 MB are allowed" in run.error["message"]
    assert "out of memory" in run.html


@pytest.mark.parametrize("start", [WARM, COLD], ids=["warm", "cold"])
def test_a_fork_bomb_in_a_cell_is_ended_and_told(report: Callable[..., Told], start: str) -> None:
    bomb = "import os, time\nfor _ in range(8): os.fork()\ntime.sleep(60)"
    run = report(bomb, keys=f"{start}limits = {{ processes = 20 }}")
    assert (run.verdict, run.error["kind"]) == ("error", "processes"), run.error


def test_a_kernel_that_is_killed_ends_the_run_at_its_cell(report: Callable[..., Told]) -> None:
    began = time.monotonic()
    run = report("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert time.monotonic() - began < 30
    assert (run.verdict, run.error["kind"], run.error["where"]) == ("error", "died", "cell 3")


def test_a_gigabyte_of_a_cell_s_output_is_cut(
    report: Callable[..., Told], evaluate: Bench, fresh_runner: Runner
) -> None:
    evaluate.runner = fresh_runner
    flood = "line = 'x' * 999_999 + '\\n'\nfor _ in range(1_000): print(line, end='')"
    run = report(flood, keys='limits = { output = "1 MB" }')
    assert (run.verdict, run.error["kind"]) == ("output_limit", "output_limit"), run.error
    assert (
        "gave more than 1,000,000 characters; what came after is left out" in run.error["message"]
    )
    assert "[cut: this is more than a report may show]" in run.printed
    assert len(run.html) < 3_000_000
    process = evaluate.runner._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 600_000


def test_the_run_s_time_counts_over_many_short_cells(report: Callable[..., Told]) -> None:
    cells = ["import time\ntime.sleep(0.5)"] * 40
    run = report(*cells, "print('never ' + 'run')", keys="timeout = 6")
    assert run.verdict == "timed_out"
    assert "never run" not in run.printed


def test_the_longest_time_of_a_cell_is_the_manifest_s(report: Callable[..., Told]) -> None:
    run = report("import time\ntime.sleep(60)", keys="limits = { cell_seconds = 1 }")
    assert (run.verdict, run.error["where"]) == ("timed_out", "cell 3")


def test_what_keeps_the_kernel_busy_after_the_last_cell_runs_out_of_a_cell_s_time(
    report: Callable[..., Told],
) -> None:
    blocks = "import asyncio, time\nasync def blocks():\n    while True: time.sleep(1)\n"
    run = report(f"{blocks}asyncio.ensure_future(blocks())", keys="limits = { cell_seconds = 2 }")
    assert (run.verdict, run.error["where"]) == ("timed_out", "cell 3")


def test_a_cell_that_asks_somebody_is_told_what_to_do_instead(report: Callable[..., Told]) -> None:
    run = report("input('Which day? ')")
    assert (run.verdict, run.error["where"]) == ("error", "cell 3")
    assert "make what it asks for a parameter" in run.error["hint"]


@pytest.mark.parametrize("start", [WARM, COLD], ids=["warm", "cold"])
def test_a_cell_that_heeds_the_interrupt_of_a_cancel_has_time_for_it(
    evaluate: Bench, git_project: MakeRepository, tmp_path: Path, start: str
) -> None:
    told = tmp_path / "told"
    cell = (
        "import time\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n"
        f"    open({str(told)!r}, 'w').write('heard')\n    raise"
    )
    run_id = evaluate.ask(git_project(single(notebook(FIRST, cell), report=start)), "daily")
    with in_thread(evaluate.execute, run_id) as answers:
        wait_for(lambda: row(evaluate, run_id).doing == "cell 2", "the second cell", 60)
        time.sleep(0.3)
        with evaluate.installation.ledger.writing() as session:
            cancel_run(session, run_id)
        wait_for(told.exists, "the interrupt")
    assert answers[0].verdict == "cancelled"
    assert "finished cell" in answers[0].html
    nothing_is_left(evaluate)


def row(evaluate: Bench, run_id: str) -> Run:
    with evaluate.installation.ledger.reading() as session:
        return session.get_one(Run, run_id)


@pytest.mark.parametrize("start", [WARM, COLD], ids=["warm", "cold"])
def test_a_template_sees_nothing_of_ours_but_what_it_needs(
    evaluate: Bench, report: Callable[..., Told], start: str
) -> None:
    if evaluate.installation.isolation.level == "processes":
        pytest.skip("this machine has no namespaces")
    home = evaluate.installation.home
    look = (
        f"import os\nprint('SEEN', sorted(os.listdir({str(home)!r})), "
        "sum(name.isdecimal() for name in os.listdir('/proc')) < 4)"
    )
    run = report(look, keys=start)
    assert run.verdict == "passed", run.error
    seen = next(line for line in run.printed.splitlines() if line.startswith("SEEN"))
    assert seen == "SEEN ['checkouts', 'environments', 'work'] True"
    assert run.record["run"]["containment"] == "namespaces"
    assert "contained by namespaces" in run.html
