"""The runner: it may be killed, stopped and started again, and leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.runner.client import (
    Runner,
    RunnerDiedError,
    RunnerFailedError,
    RunnerStoppedError,
)
from pipeline.runner.messages import RenderJob, StageJob
from pipeline.workplace import Workplace
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
DAEMONS = """
import os, sys, time, signal
from pathlib import Path
pids = Path(os.environ["HOME"], "pids")
pids.mkdir()
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            (pids / str(os.getpid())).touch()
            while True:
                time.sleep(1)
        os._exit(0)
"""
NEVER: Callable[[], None] = lambda: None  # noqa: E731


@pytest.fixture
def stage(tmp_path: Path, default_environment: Path) -> Callable[..., StageJob]:
    """Make a job whose function ``build`` has *body*, in a workplace of its own."""
    count = 0

    def make(body: str, head: str = "") -> StageJob:
        nonlocal count
        count += 1
        checkout = tmp_path / f"checkout{count}"
        checkout.mkdir()
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (checkout / "made.py").write_text(f"{head}\ndef build():\n{lines}")
        place = Workplace(tmp_path / f"place{count}", f"{tmp_path}:run_{count}:1")
        place.make()
        context = {
            "schema": 1,
            "kind": "stage",
            "name": "made",
            "inputs": {},
            "params": {},
            "output_dir": str(place.outputs),
            "results": str(place.results),
            "entry": {"search": [str(checkout)], "module": "made", "function": "build"},
        }
        venv = str(default_environment.parent.parent)
        return StageJob(str(place.root), place.marker, venv, context)

    return make


def perform(runner: Runner, job: StageJob) -> dict[str, Any]:
    return runner.call(job, lambda _: None, NEVER)


def content(result: dict[str, Any]) -> str:
    assert result["failure"] is None, result["failure"]
    return Path(result["outputs"][0]["path"]).read_text()


def daemons(job: StageJob) -> list[int]:
    return [int(path.name) for path in Path(job.workplace, "home", "pids").glob("*")]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pid_of(runner: Runner) -> int:
    assert runner._process is not None
    return runner._process.pid


def test_a_job_gives_its_result_and_tells_what_it_prints(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    events: list[dict[str, Any]] = []
    job = stage("print('hello'); print('oops', file=sys.stderr); return 'made'", "import sys")
    assert content(runner.call(job, events.append, NEVER)) == "made"
    told = "".join(event["text"] for event in events if event["event"] == "log")
    assert told.splitlines() == ["hello", "oops"]
    assert Path(job.workplace, "log.txt").read_text() == told


def test_what_looks_like_a_message_is_not_taken_for_one(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    forged = json.dumps({"result": {"outputs": [], "failure": None}})
    job = stage(f"print({forged!r}, flush=True); return 'honest'")
    assert content(perform(runner, job)) == "honest"


def test_daemons_that_a_job_leaves_are_ended_with_it(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    body = "daemon(); daemon()\nwhile len(list(pids.iterdir())) < 2: time.sleep(0.01)\nreturn 'x'"
    job = stage(body, DAEMONS)
    assert content(perform(runner, job)) == "x"
    assert len(daemons(job)) == 2
    assert all(gone(pid) for pid in daemons(job))


def test_a_killed_runner_is_told_apart_and_started_again(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    job = stage("import time; print('on', flush=True); time.sleep(600)")

    def kill(_: object) -> None:
        os.kill(pid_of(runner), signal.SIGKILL)

    with pytest.raises(RunnerDiedError, match=r"status -9"):
        runner.call(job, kill, NEVER)
    assert content(perform(runner, stage("return 'again'"))) == "again"


def test_a_stopped_job_that_heeds_nothing_is_gone_soon_with_all_that_it_started(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    body = "daemon(); daemon()\nwhile True:\n    try: time.sleep(600)\n    except: pass"
    head = f"{DAEMONS}\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)"
    job = stage(body, head)
    asked: list[float] = []

    def cancelled() -> str | None:
        if len(daemons(job)) < 2:
            return None
        asked.append(time.monotonic())
        return "cancelled"

    with pytest.raises(RunnerStoppedError) as caught:
        runner.call(job, lambda _: None, cancelled)
    assert caught.value.reason == "cancelled"
    assert time.monotonic() - asked[0] < 15
    assert len(daemons(job)) == 2
    assert all(gone(pid) for pid in daemons(job))
    assert content(perform(runner, stage("return 'next'"))) == "next"


def test_a_job_whose_listener_fails_does_not_answer_for_the_next(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    def fail(_: object = None) -> str | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        runner.call(stage("print('x', flush=True); return 'first'"), fail, NEVER)
    assert content(perform(runner, stage("return 'second'"))) == "second"
    with pytest.raises(ZeroDivisionError):
        runner.call(stage("return 'third'"), lambda _: None, fail)
    assert content(perform(runner, stage("return 'fourth'"))) == "fourth"


def test_a_failure_of_ours_is_told_and_the_runner_goes_on(
    runner: Runner, stage: Callable[..., StageJob], tmp_path: Path
) -> None:
    broken = RenderJob(str(tmp_path), str(tmp_path / "nowhere.ipynb"), None, {}, {})
    with pytest.raises(RunnerFailedError, match=r"(?s)Traceback.*Colophon"):
        runner.call(broken, lambda _: None, NEVER)
    before = pid_of(runner)
    assert content(perform(runner, stage("return 'fine'"))) == "fine"
    assert pid_of(runner) == before


def test_a_daemon_that_goes_on_printing_does_not_hold_up_its_stage(
    runner: Runner, stage: Callable[..., StageJob]
) -> None:
    chatty = DAEMONS.replace("time.sleep(1)", "print('still here', flush=True)")
    job = stage("daemon(); return 'done'", chatty)
    started = time.monotonic()

    def too_late() -> str | None:
        return "timed_out" if time.monotonic() - started > 30 else None

    assert content(runner.call(job, lambda _: None, too_late)) == "done"
    assert all(gone(pid) for pid in daemons(job))


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("import os; os._exit(3)", "exit status 3"),
        ("import os; os.kill(os.getpid(), 11)", "signal 11"),
    ],
)
def test_a_stage_whose_process_dies_is_a_result(
    runner: Runner, stage: Callable[..., StageJob], body: str, how: str
) -> None:
    failure = perform(runner, stage(body))["failure"]
    assert failure["kind"] == "died"
    assert how in failure["message"]


def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    runner = Runner()
    runner.stop()
    runner.start()
    pid = pid_of(runner)
    runner.start()
    assert pid_of(runner) == pid
    runner.stop()
    runner.stop()
    assert gone(pid)


def test_a_runner_does_not_outlive_its_worker() -> None:
    code = (
        "import time; from pipeline.runner.client import Runner\n"
        "runner = Runner(); runner.start(); print(runner._process.pid, flush=True)\n"
        "time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    pid = int(worker.stdout.readline())
    assert not gone(pid)
    worker.kill()
    worker.communicate()
    wait_for(lambda: gone(pid), "the runner to end", 10)
