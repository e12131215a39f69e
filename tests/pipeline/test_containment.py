"""The supervisor above users' code: limits hold, and nothing of it is left."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.containment import Isolation, Program, Supervised, SupervisedProcess, TreeLimits
from pipeline.processes import marked_processes
from pipeline.workplace import MARKER
from tests.support.waiting import wait_for

MB = 1_000_000
STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        os.fork()
print("ready", flush=True)
while True:
    time.sleep(1)
"""
Start = Callable[..., SupervisedProcess]


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[str]:
    marker = f"{tmp_path}:attempt"
    yield marker
    assert marked_processes(marker) == {}


@pytest.fixture(params=[None, Isolation()], ids=["processes", "namespaces"])
def start(request: pytest.FixtureRequest, tmp_path: Path, marker: str) -> Iterator[Start]:
    started: list[SupervisedProcess] = []

    def start(code: str, *arguments: object, **limits: object) -> SupervisedProcess:
        argv = [sys.executable, "-c", code, *map(str, arguments)]
        limits = {"disk_root": str(tmp_path), **limits}
        env = {"PATH": os.defpath, MARKER: marker}
        allowed = TreeLimits(**limits)  # type: ignore[arg-type]
        program = Program(argv, tmp_path, env, allowed, request.param)
        started.append(SupervisedProcess(program))
        return started[-1]

    yield start
    for process in started:
        process.close()


def printed(process: SupervisedProcess, count: int = 6) -> bytes:
    assert process.stdout is not None
    return os.read(process.stdout.fileno(), count)


def test_a_program_has_its_directory_its_environment_and_no_file_of_ours(
    start: Start, tmp_path: Path
) -> None:
    process = start("import os; print(os.getcwd(), len(os.environ), os.listdir('/proc/self/fd'))")
    assert process.wait(20) == 0
    assert process.stdout is not None
    where, variables, files = process.stdout.read().decode().split(None, 2)
    assert where == str(tmp_path)
    assert int(variables) <= 3  # PATH, the marker, and LC_CTYPE of Python's own
    assert files.strip() == "['0', '1', '2', '3']"  # the last is the listing's


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9), ("1 / 0", 1)],
)
def test_the_status_is_the_program_s(start: Start, code: str, status: int) -> None:
    assert start(code).wait(20) == status


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    with SupervisedProcess(Program(["no-such-program"], tmp_path, {})) as process:
        assert process.wait(20) == 127
        assert process.complaint == "No such file or directory"


def test_an_interrupt_reaches_the_program_which_may_go_on(start: Start) -> None:
    process = start(
        "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt: print('heard')"
    )
    assert printed(process) == b"ready\n"
    process.signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert printed(process) == b"heard\n"


def test_one_that_heeds_the_interrupt_is_not_killed(start: Start) -> None:
    process = start("import time\nprint('ready', flush=True)\ntime.sleep(60)")
    assert printed(process) == b"ready\n"
    process.end(interrupt=20, terminate=20)
    assert process.wait(15) == -signal.SIGINT


def test_one_that_ignores_signals_and_daemonises_is_gone(start: Start, marker: str) -> None:
    process = start(STUBBORN)
    assert printed(process) == b"ready\n"
    wait_for(lambda: len(marked_processes(marker)) > 4, "the daemons")
    process.end(interrupt=0.1, terminate=0.1)
    assert process.wait(15) == -signal.SIGKILL
    assert set(marked_processes(marker)) <= {supervisor(process)}


def supervisor(process: SupervisedProcess) -> int:
    return process._supervisor.pid


def test_one_that_always_forks_and_ends_cannot_run_away(start: Start) -> None:
    process = start("import os\nwhile True:\n if os.fork(): os._exit(0)\n os.setsid()")
    assert process.wait(30) == 0


def test_what_outlives_the_program_has_a_moment_to_end_and_is_then_killed(
    start: Start, tmp_path: Path
) -> None:
    process = start(
        "import os, signal, sys, time\n"
        "for name in ('heeds', 'ignores'):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        def told(*_): open(name, 'w').close(); name == 'heeds' and os._exit(0)\n"
        "        signal.signal(signal.SIGTERM, told)\n"
        "        open(name + '.ready', 'w').close()\n"
        "        while True: time.sleep(1)\n"
        "while len(os.listdir('.')) < 2: time.sleep(0.01)\n"
    )
    assert process.wait(20) == 0
    assert {path.name for path in tmp_path.iterdir()} >= {"heeds", "ignores"}


def test_too_much_memory_is_told_and_ends_it(start: Start) -> None:
    process = start("x = []\nwhile True: x.append(b'1' * 5_000_000)", memory=150 * MB)
    assert process.wait(20) == -signal.SIGKILL
    assert process.exceeded is not None
    assert process.exceeded.limit == "memory"
    assert process.exceeded.used > process.exceeded.allowed == 150 * MB


def test_memory_that_forked_processes_share_counts_once(start: Start) -> None:
    code = (
        "import os, time\nx = b'1' * 60_000_000\n"
        "for _ in range(4):\n    if os.fork() == 0: break\ntime.sleep(0.8)"
    )
    process = start(code, memory=150 * MB)
    assert process.wait(20) == 0
    assert process.exceeded is None


def test_too_many_processes_are_told_and_ended(start: Start) -> None:
    bomb = "import os, time\nfor _ in range(7): os.fork()\ntime.sleep(60)"  # 128, and no more
    process = start(bomb, processes=20)
    assert process.wait(20) is not None
    assert process.exceeded is not None
    assert process.exceeded.limit == "processes"


def test_too_much_on_the_disk_is_told_and_ends_it(start: Start, tmp_path: Path) -> None:
    (tmp_path / "laid").write_bytes(bytes(20 * MB))  # was there before: not of its making
    code = (
        "import time\nfor i in range(100):\n"
        "    open(str(i), 'wb').write(bytes(1_000_000))\n    time.sleep(0.03)\n"
    )
    process = start(code, disk=10 * MB)
    assert process.wait(30) == -signal.SIGKILL
    assert process.exceeded is not None
    assert process.exceeded.limit == "disk"
    assert 10 * MB < process.exceeded.used < 30 * MB


def test_limits_may_come_late_and_hold_for_what_runs_already(start: Start) -> None:
    process = start(
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', '''\n"
        'print("ready", flush=True)\n'
        "import os, resource, time\n"
        "while resource.getrlimit(resource.RLIMIT_NOFILE)[0] != 77: time.sleep(0.01)\n"
        "'''])"
    )
    assert printed(process) == b"ready\n"
    process.limit(TreeLimits(open_files=77))
    assert process.wait(20) == 0


def test_no_file_gets_larger_than_it_may_and_no_core_is_left(start: Start) -> None:
    code = (
        "import resource, time\n"
        "while resource.getrlimit(resource.RLIMIT_FSIZE)[0] < 0: time.sleep(0.01)\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
        "open('large', 'wb').write(bytes(2_000_000))"
    )
    process = start(code, file_bytes=MB)
    assert process.wait(20) == 1
    assert process.stdout is not None
    assert b"File too large" in process.stdout.read()


def test_when_we_are_gone_so_is_everything(start: Start, marker: str) -> None:
    process = start(STUBBORN)
    assert printed(process) == b"ready\n"
    process.close()
    assert marked_processes(marker) == {}


def test_code_that_kills_its_supervisor_ends_with_it(tmp_path: Path) -> None:
    code = "import os, time; os.kill(os.getppid(), 9); time.sleep(60)"
    with SupervisedProcess(Program([sys.executable, "-c", code], tmp_path, {})) as process:
        assert process.wait(20) == -signal.SIGKILL
        assert process.lost
        assert process.pid is not None
        wait_for(lambda: not psutil.pid_exists(process.pid or 0), "its end")


def test_one_that_is_let_go_of_before_its_last_word_is_not_taken_for_killed() -> None:
    ours, theirs = socket.socketpair()
    held = Supervised(ours)
    theirs.sendall(b'{"event": "left", "status": -9}\n')
    held.close()
    theirs.close()
    assert (held.poll(), held.lost) == (-9, False)


def test_a_supervisor_that_has_nothing_to_watch_for_sleeps(start: Start) -> None:
    process = start("import time\nprint('ready', flush=True)\ntime.sleep(60)")
    assert printed(process) == b"ready\n"
    before = psutil.Process(supervisor(process)).num_ctx_switches()
    time.sleep(0.5)
    after = psutil.Process(supervisor(process)).num_ctx_switches()
    assert after.voluntary - before.voluntary <= 1
