"""What kernels of one host do not share: randomness, names, what they leave behind."""

import asyncio
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.containment import Exceeded, Supervised
from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.provisioner import WarmProvisioner
from pipeline.kernels.waiting import Pool, WaitingKernel, ask
from pipeline.kernels.warm import warm_kernel
from provenance.files import remove_tree
from tests.support.kernels import COLD, WARM, Kitchen, by_us, cells, notebook_of
from tests.support.waiting import wait_for

DRAWS = """\
import json, os, random, tempfile, uuid
import numpy
drawn = {
    "random": random.random(),
    "numpy": numpy.random.random(),
    "generator": numpy.random.default_rng().random(),
    "uuid4": str(uuid.uuid4()),
    "temporary": os.path.basename(tempfile.mkdtemp()),
}
print(json.dumps([drawn, hash("a word"), os.environ["PYTHONHASHSEED"]]))"""
LEAVES = """\
import atexit, os, threading, time
kept = open("unflushed.txt", "w"); kept.write("written")
binary = open("unflushed.bin", "wb"); binary.write(b"written too")
closed = open("closed.txt", "w"); closed.close()
atexit.register(lambda: open("at-exit.txt", "w").write("called"))
def last():
    time.sleep(0.3)
    open("thread.txt", "w").write("finished")
threading.Thread(target=last).start()
print("done")"""
HANGS = "import atexit, time, os\natexit.register(time.sleep, 600)\nprint(os.getpid())"


def test_no_two_kernels_draw_the_same_and_all_hash_as_one_that_is_started_afresh(
    kitchen: Kitchen,
) -> None:
    found = [kitchen.execute(cells(DRAWS), way).values for way in (WARM, WARM, WARM, COLD)]
    for name in found[0][0]:
        assert len({drawn[name] for drawn, *_ in found}) == len(found), f"{name} is drawn again"
    assert len({tuple(hashed) for _, *hashed in found}) == 1


@pytest.mark.parametrize("way", [WARM, COLD])
def test_what_was_begun_is_finished_when_a_kernel_ends(kitchen: Kitchen, way: str) -> None:
    names = ("unflushed.txt", "unflushed.bin", "closed.txt", "at-exit.txt", "thread.txt")
    with kitchen.kernel(way) as (manager, place):
        by_us(notebook_of(cells(LEAVES)), manager, place)
        held = manager.provisioner.held
        assert held is not None
        assert held.returncode == 0
        told = [(place.directory / name).read_text() for name in names]
    assert told == ["written", "written too", "", "called", "finished"]


@pytest.mark.parametrize("way", [WARM, COLD])
def test_a_kernel_that_has_done_its_work_is_not_interrupted(kitchen: Kitchen, way: str) -> None:
    """One that is interrupted in its own loop hangs, and is killed with its files unwritten."""
    heeds = (
        "import os, signal\nplace = os.getcwd() + '/interrupted'\n"
        "def note(*_): open(place, 'w').write('heard')\n"
        "signal.signal(signal.SIGINT, note)\nfrom ipykernel.ipkernel import IPythonKernel\n"
        "kernel = IPythonKernel.instance() if IPythonKernel.initialized() else None\n"
        "kernel.pre_handler_hook = kernel.post_handler_hook = lambda: None"
    )
    with kitchen.kernel(way) as (manager, place):
        done = by_us(notebook_of(cells(heeds)), manager, place)
        assert done["cells"][0]["outputs"] == []
        assert not (place.directory / "interrupted").exists()


def test_a_kernel_that_never_ends_is_ended(kitchen: Kitchen) -> None:
    with kitchen.kernel(WARM) as (manager, place):
        manager.shutdown_wait_time = 0.5
        done = by_us(notebook_of(cells(HANGS)), manager, place)
        held = manager.provisioner.held
        assert held is not None
        assert held.returncode is not None
        pid = int(done["cells"][-1]["outputs"][0]["text"])
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("way", [WARM, COLD])
@pytest.mark.parametrize(
    ("code", "status"),
    [("import os; os._exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)],
)
def test_how_a_kernel_ended_is_known(kitchen: Kitchen, way: str, code: str, status: int) -> None:
    from nbclient.exceptions import DeadKernelError

    with kitchen.kernel(way) as (manager, place):
        began = time.monotonic()
        with pytest.raises(DeadKernelError):
            by_us(notebook_of(cells("print('before')", code)), manager, place)
        assert time.monotonic() - began < 20
        held = manager.provisioner.held
        assert held is not None
        assert held.returncode == status


def test_what_is_said_of_a_kernel_s_end_is_heard_to_the_last_word() -> None:
    """Its status comes first; that it had too much memory, when all of it has ended."""
    ours, theirs = socket.socketpair()
    kernel = WarmProvisioner()
    kernel.held = held = Supervised(ours)
    theirs.sendall(b'{"event": "left", "status": -9}\n')

    def say_why() -> None:
        time.sleep(0.2)
        last = {"event": "exceeded", "limit": "memory", "used": 2, "allowed": 1}, {"event": "ended"}
        theirs.sendall(
            b"".join(json.dumps({"status": -9} | told).encode() + b"\n" for told in last)
        )

    with theirs, ThreadPoolExecutor(1) as pool:
        pool.submit(say_why)
        assert asyncio.run(kernel.wait()) == -9
    assert held.exceeded == Exceeded("memory", 2, 1)


def test_what_goes_past_the_streams_is_shown_by_the_cell_and_said_in_the_log(
    kitchen: Kitchen,
) -> None:
    # Threads of ipykernel's read it, one for each stream, and no cell waits for that.
    waits = "\nimport os, time\ntime.sleep(0.3)"
    printed = cells(
        f"import os\nos.write(1, b'to one, in the cell'){waits}",
        f"os.system('echo from below >&2'){waits}",
    )
    warm, cold = (kitchen.execute(printed, way) for way in (WARM, COLD))
    assert warm.told == cold.told
    assert "to one, in the cell" in warm.log
    assert "from below" in warm.log


def test_a_host_that_is_not_there_is_told_before_any_cell_runs(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    with (
        kitchen.place(WARM) as place,
        pytest.raises(KernelStartError, match="does not answer"),
        warm_kernel(tmp_path / "door", Pool(), place),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cleared", [False, True], ids=["its directory stays", "all is gone"])
def test_a_kernel_that_ended_before_its_run_began_is_told_and_no_other_one_begins(
    kitchen: Kitchen, tmp_path: Path, cleared: bool
) -> None:
    kernel = _hung_up(tmp_path / "door")
    if cleared:
        remove_tree(kernel.directory)
    pool = Pool()
    pool.take = lambda _: kernel  # type: ignore[method-assign]
    with (
        kitchen.place(WARM) as place,
        pytest.raises(KernelStartError, match="did not start"),
        warm_kernel(tmp_path / "door", pool, place) as manager,
    ):
        by_us(notebook_of(cells("print('there')")), manager, place)


def _hung_up(door: Path) -> WaitingKernel:
    """Return a kernel whose host has taken the call, and ended."""
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(str(door))
        host.listen()
        kernel = ask(door)
        host.accept()[0].close()
    wait_for(lambda: kernel.held.poll() is not None, "the kernel's end to be known")
    return kernel


def test_the_search_path_of_a_run_leads_to_its_checkout_and_stays_there(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    (tmp_path / "of_the_checkout.py").write_text("value = 1\n")
    told = "import of_the_checkout, sys, json\nprint(json.dumps(sys.path[0]))"
    assert kitchen.execute(cells(told), WARM, search=[str(tmp_path)]).values == str(tmp_path)
    again = "import sys, json\nprint(json.dumps(['of_the_checkout' in sys.modules, sys.path[0]]))"
    known, first = json.loads(kitchen.execute(cells(again), WARM).text[-1])
    assert not known
    assert first != str(tmp_path)
