"""Containment: an environment of its own, a place of its own, and no process left behind."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.processes import end_tree, marked_processes
from pipeline.workplace import MARKER, Workplace
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
DAEMON = """
import os, sys, time
from pathlib import Path
def daemon(name):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            Path(sys.argv[1], name).write_text(str(os.getpid()))
            while True:
                time.sleep(1)
        os._exit(0)
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python code in a process that writes pids into files of the test's folder."""
    started = []

    def run(code: str, **options: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, str(tmp_path)]
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, **options)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
    for path in tmp_path.glob("pid-*"):
        try:
            os.kill(int(path.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            continue


def pid_in(path: Path) -> int:
    return int(wait_for(lambda: path.exists() and path.read_text(), path.name))


def test_users_code_gets_an_allowlist_of_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PROVENOTE_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "REPLICA_URL", "PYTHONPATH"):
        monkeypatch.setenv(name, "canary-secret")
    monkeypatch.setenv("TZ", "Europe/Paris")
    place = Workplace(tmp_path / "place", "home:run_1:1")
    environment = place.environment(Path("/venv"), {"EXTRA": "1"})
    assert "canary-secret" not in environment.values()
    assert environment["TZ"] == "Europe/Paris"
    assert environment["EXTRA"] == "1"
    assert environment[MARKER] == "home:run_1:1"
    assert environment["PATH"].startswith("/venv/bin:")
    assert environment["HOME"] == str(place.root / "home")


def test_a_workplace_is_private_and_goes_away(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "run" / "00-features", "m")
    place.make()
    assert stat.S_IMODE(place.root.stat().st_mode) == 0o700
    assert place.inputs.is_dir()
    assert place.inputs.parent == place.current
    for name in ("HOME", "TMPDIR"):
        assert Path(place.environment(Path("/venv"), {})[name]).is_dir()
    place.outputs.joinpath("file").write_text("x")
    place.remove()
    assert not place.root.exists()
    place.remove()


def test_daemons_below_a_supervisor_are_ended(start: Start, tmp_path: Path) -> None:
    supervisor = start(
        f"from pipeline.processes import *; become_supervisor()\n{DAEMON}"
        "for number in range(3): daemon(f'pid-{number}')\n"
        "import subprocess\n"
        "subprocess.Popen(['sh', '-c', 'trap \"\" TERM; sleep 600 & wait'])\n"
        "while len(list(Path(sys.argv[1]).glob('pid-*'))) < 3: time.sleep(0.01)\n"
        "ended = end_descendants()\n"
        "import psutil\n"
        "print(ended, len(psutil.Process().children(recursive=True)))\n"
    )
    told, _ = supervisor.communicate(timeout=30)
    ended, left = map(int, told.split())
    assert ended >= 4
    assert left == 0
    assert all(gone(pid_in(tmp_path / f"pid-{number}")) for number in range(3))


def test_processes_are_asked_to_end_before_they_are_killed(start: Start) -> None:
    supervisor = start(
        "import subprocess, sys\n"
        "from pipeline.processes import *; become_supervisor()\n"
        "def child(what):\n"
        "    code = f'import signal, sys, time; signal.signal(signal.SIGTERM, {what}); '\n"
        "    code += 'print(flush=True); time.sleep(600)'\n"
        "    made = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
        "    made.stdout.readline()\n"
        "    return made\n"
        "polite = child('lambda *_: sys.exit(print(\"asked\"))')\n"
        "stubborn = child('signal.SIG_IGN')\n"
        "end_descendants(grace=0.5)\n"
        "print(polite.stdout.read(), stubborn.stdout.read())\n"
    )
    told, _ = supervisor.communicate(timeout=30)
    assert told == "b'asked\\n' b''\n"


def test_a_supervisor_ends_with_the_process_that_started_it(start: Start, tmp_path: Path) -> None:
    parent = start(
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import os, sys, time; from pathlib import Path\\n"
        "from pipeline.processes import *; become_supervisor()\\n"
        'Path(sys.argv[1], "pid-0").write_text(str(os.getpid())); time.sleep(600)\', '
        "sys.argv[1]])\n"
        "time.sleep(600)\n"
    )
    supervisor = pid_in(tmp_path / "pid-0")
    assert not gone(supervisor)
    parent.kill()
    wait_for(lambda: gone(supervisor), "the supervisor to end", 5)


def test_a_tree_of_processes_is_killed_from_outside(start: Start, tmp_path: Path) -> None:
    root = start(
        "import os, sys, time; from pathlib import Path\n"
        "if os.fork() == 0: os.setsid()\n"
        "Path(sys.argv[1], f'pid-{os.getpid()}').write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    wait_for(lambda: len(list(tmp_path.glob("pid-*"))) == 2, "both processes")
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]
    end_tree(root.pid)
    assert all(gone(pid) for pid in pids)
    end_tree(root.pid)


def test_processes_are_found_by_the_attempt_they_belong_to(start: Start, tmp_path: Path) -> None:
    home = f"{tmp_path}:"
    process = start("import time; time.sleep(600)", env={MARKER: f"{home}run_1:2"})
    other = start("import time; time.sleep(600)", env={MARKER: "elsewhere:run_1:2"})
    found = wait_for(lambda: marked_processes(home), "the process to be found")
    assert found == {process.pid: f"{home}run_1:2"}
    assert other.pid not in marked_processes(home)
