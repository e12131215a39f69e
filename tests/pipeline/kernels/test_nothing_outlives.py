"""Whoever of those around a kernel is killed: the run ends or goes on, and nothing is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.kernels.waiting import ask
from pipeline.processes import marked_processes
from pipeline.runner.client import Runner
from provenance.ledger.ids import new_id
from tests.pipeline.weather import single
from tests.support.evaluations import Bench, in_thread
from tests.support.kernels import WARM, Kitchen, by_us, cells, notebook_of
from tests.support.repository import Repository, notebook
from tests.support.waiting import wait_for

MakeRepository = Callable[..., Repository]
SHARED = Path("/dev/shm")
OWNER = """
import json, sys, time
from pathlib import Path
from pipeline.kernels.hosts import KernelHosts
from pipeline.kernels.waiting import ask
from pipeline.kernels.wanted import HostWanted
hosts = KernelHosts(sys.argv[2])
kernel = ask(hosts.door(HostWanted(sys.argv[1], "as built")))
while not kernel.listens: time.sleep(0.01)
print(kernel.directory, flush=True)
time.sleep(600)
"""
DAEMON = """\
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("daemon", "w").write(str(os.getpid()))
        while True: time.sleep(1)
    os._exit(0)
while not os.path.exists("daemon") or not open("daemon").read(): time.sleep(0.01)
print("at work", flush=True)"""


@pytest.fixture
def marker() -> Iterator[str]:
    """A marker of processes of this test alone; none may be left, nor any shared memory."""
    found, before = f"tests:{new_id('run')}", set(SHARED.iterdir())
    yield found
    wait_for(lambda: marked_processes(found) == {}, "all of its processes to end", 20)
    wait_for(lambda: left_behind(before) == set(), "shared memory that nobody has to be gone", 5)


def left_behind(before: set[Path]) -> set[Path]:
    """Return what is new in shared memory and no process has: that of a neighbour is its own."""
    new = set(SHARED.iterdir()) - before
    mapped = {region.path for process in psutil.process_iter() for region in regions(process)}
    return {one for one in new if str(one) not in mapped}


def regions(process: psutil.Process) -> list[Any]:
    try:
        return process.memory_maps()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def test_shared_memory_that_nobody_has_is_noticed() -> None:
    before = set(SHARED.iterdir())
    held, forgotten = SharedMemory(create=True, size=1), SHARED / f"tests-{new_id('run')}"
    forgotten.touch()
    try:
        found = left_behind(before)
        assert (forgotten in found, SHARED / held.name in found) == (True, False)
    finally:
        forgotten.unlink()
        held.close()
        held.unlink()


@pytest.fixture
def own(marker: str, own_kitchen: Callable[..., Kitchen]) -> Kitchen:
    """A kitchen with a host of its own, which runs."""
    return own_kitchen(marker)


def host_of(kitchen: Kitchen) -> psutil.Process:
    return psutil.Process(kitchen.hosts._hosts[kitchen.wanted].process.pid)


def is_bare(kitchen: Kitchen) -> bool:
    """Tell whether a host has no kernel, nor anything that one has left."""
    alone = not host_of(kitchen).children(recursive=True)
    return alone and list(kitchen.door.parent.iterdir()) == [kitchen.door]


def test_the_owner_of_a_host_is_killed(kitchen: Kitchen, marker: str) -> None:
    argv = [sys.executable, "-c", OWNER, str(kitchen.venv), marker]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        directory = Path(owner.stdout.readline().strip())
        assert (directory / "connection.json").exists()
        assert len(marked_processes(marker)) >= 3, "host, supervisor, kernel"
        owner.kill()
    wait_for(lambda: not directory.parent.exists(), "the host to remove its place", 20)


def test_the_host_is_killed_and_the_kernel_at_work_goes_on(own: Kitchen) -> None:
    with own.kernel(WARM) as (manager, place):
        host, first = host_of(own), own.door
        told = ["print(1)", f"import os\nos.kill({host.pid}, 9)", "print('went ' + 'on')"]
        done = by_us(notebook_of(cells(*told)), manager, place)
        assert "went on" in done["cells"][-1]["outputs"][0]["text"]
    assert own.execute(cells("print('another')"), WARM).text == ["another\n"]
    assert own.door != first
    own.hosts.stop()
    assert not first.parent.exists()


@pytest.mark.parametrize("whom", ["supervisor", "kernel"])
def test_one_of_a_kernels_processes_is_killed_and_a_daemon_of_it_ends_too(
    own: Kitchen, whom: str
) -> None:
    from nbclient.exceptions import DeadKernelError

    kill = f"import os\nos.kill(os.{'getppid' if whom == 'supervisor' else 'getpid'}(), 9)"
    with own.kernel(WARM) as (manager, place):
        with pytest.raises(DeadKernelError):
            by_us(notebook_of(cells(DAEMON, kill, "import time; time.sleep(600)")), manager, place)
        daemon = int((place.directory / "daemon").read_text())
        wait_for(lambda: not psutil.pid_exists(daemon), "the daemon to end", 20)
        assert manager.provisioner.held.lost == (whom == "supervisor")
    wait_for(lambda: is_bare(own), "its directory to go", 20)
    assert own.execute(cells("print('another')"), WARM).text == ["another\n"]


def test_whoever_asked_for_a_kernel_lets_go_of_it(own: Kitchen) -> None:
    kernel = ask(own.door)
    wait_for(lambda: kernel.listens, "the kernel to listen")
    assert not is_bare(own)
    kernel.close()
    wait_for(lambda: is_bare(own), "the kernel to end", 20)
    assert {one.status() for one in host_of(own).children()} == set(), "no zombie is left"


@pytest.fixture
def evaluate_apart(
    installation: Callable[..., Installation], own: Kitchen, fresh_runner: Runner
) -> Bench:
    """Evaluates with a runner and with hosts of its own."""
    return Bench(installation(), fresh_runner, own.hosts)


def hosts_alone(hosts: KernelHosts) -> bool:
    return not any(
        psutil.Process(host.process.pid).children(recursive=True) for host in hosts._hosts.values()
    )


def test_the_runner_is_killed_and_kernels_at_work_and_waiting_end(
    evaluate_apart: Bench, own: Kitchen, git_project: MakeRepository
) -> None:
    cell = "import provenote, time\nprovenote.metric('seen', 1)\ntime.sleep(600)"
    repository = git_project(single(notebook("print('first')", cell)))
    run_id = evaluate_apart.ask(repository, "daily")
    with in_thread(evaluate_apart.execute, run_id) as answers:
        wait_for(lambda: evaluate_apart.run(run_id).row.cells_done >= 1, "a cell to end", 60)
        runner = evaluate_apart.runner._process
        assert runner is not None
        os.kill(runner.pid, signal.SIGKILL)
    (run,) = answers
    assert (run.verdict, run.error["kind"]) == ("error", "died")
    wait_for(lambda: hosts_alone(own.hosts), "all kernels to end", 20)
    home = evaluate_apart.installation.home
    assert marked_processes(f"{home}:") == {}


def test_a_kernel_that_is_killed_ends_its_run_and_no_other(
    evaluate_apart: Bench, own: Kitchen, git_project: MakeRepository
) -> None:
    kill = "import os\nos.kill(os.getpid(), 9)"
    repository = git_project(single(notebook("# Page", "print('fin' + 'ished')", kill, "print(3)")))
    run = evaluate_apart(repository).run
    assert (run.verdict, run.error["kind"], run.error["where"]) == ("error", "died", "cell 3")
    assert "finished" in run.html
    repository.commit({"reports/daily.ipynb": notebook("# Page", "print('al' + 'ive')")})
    assert "alive" in evaluate_apart(repository).run.html
    evaluate_apart.runner.stop()
    wait_for(lambda: hosts_alone(own.hosts), "what waited for the next run to end", 20)
