"""Whatever a kernel leaves, and whoever comes to the door: the host goes on."""

import json
import os
import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.containment import Cover, Isolation
from pipeline.installation import Installation
from pipeline.isolation import hindrance
from pipeline.kernels.cold import cold_kernel
from pipeline.kernels.doors import is_open, reach
from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.shared import shared_door
from pipeline.kernels.waiting import Pool, ask
from pipeline.kernels.warm import warm_kernel
from pipeline.workplace import sockets_root
from tests.support.kernels import COLD, WARM, Kitchen, by_us, cells, notebook_of
from tests.support.waiting import wait_for

NO_LISTS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "no list": lambda file: file.write_text("{}"),
    "nested too deep": lambda file: file.write_text("[" * 200_000),
    "endless": lambda file: file.symlink_to("/dev/zero"),
    "huge": lambda file: file.touch() or os.truncate(file, 2**40),
    "no text": lambda file: file.write_bytes(b"\xff\xfe"),
}


@pytest.fixture
def own(own_kitchen: Callable[..., Kitchen]) -> Kitchen:
    found = own_kitchen()
    assert found.door.exists()
    return found


def survives(kitchen: Kitchen, leave: Callable[[Path], object]) -> bool:
    """Let a kernel end with what *leave* puts into its directory; tell whether its host goes on."""
    (host,) = kitchen.hosts._hosts.values()
    kernel = ask(kitchen.door)
    wait_for(lambda: kernel.listens, "the kernel to listen")
    leave(kernel.directory)
    kernel.close()
    gone = lambda: host.process.poll() is not None or not kernel.directory.exists()  # noqa: E731
    wait_for(gone, "the host to bury it", 20)
    return host.process.poll() is None


def nest(directory: Path) -> None:
    """Make directories in one another, more than Python calls functions in one another."""
    path = str(directory)
    for _ in range(1_200):
        path += "/d"
        os.mkdir(path)  # noqa: PTH102 - a Path of each would take longer


def waited_for(pid: int | None) -> set[str]:
    """Return the inodes of the files that a process lets the system watch."""
    found: set[str] = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            if "eventpoll" in str(file.readlink()):
                told = Path(f"/proc/{pid}/fdinfo", file.name).read_text()
                found |= set(re.findall(r"ino:(\w+)", told))
    return found


def test_what_a_kernel_tells_of_its_imports_is_not_believed(own: Kitchen) -> None:
    for kind, make in NO_LISTS.items():
        assert survives(own, lambda directory: make(directory / "imported.json")), kind  # noqa: B023


def test_a_directory_of_any_depth_goes_with_its_kernel(own: Kitchen) -> None:
    assert survives(own, nest)


def test_a_module_that_goes_elsewhere_does_not_take_its_host_along(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / "first", tmp_path / "later"]
    (tmp_path / "goes").mkdir()
    for place, name in zip(places, ("__init__", "again"), strict=True):
        place.mkdir()
        (tmp_path / "goes" / f"{name}.py").write_text(f"import os\nos.chdir({str(place)!r})")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    doors = [
        shared_door(kitchen.venv / "bin" / "python", ("goes", more), idle_seconds=0.3)
        for more in ("json", "csv")
    ]
    with closing(ask(doors[1])) as kernel:
        wait_for(lambda: kernel.listens, "the kernel to listen")
        (kernel.directory / "imported.json").write_text('["goes.again"]')
    for door in doors:
        wait_for(lambda: not door.parent.exists(), "the host to remove its place", 20)  # noqa: B023
    assert [place.is_dir() for place in places] == [True, True]


def test_nothing_that_a_host_waits_for_is_open_in_its_kernels(own: Kitchen) -> None:
    with closing(ask(own.door)) as kernel:
        wait_for(lambda: kernel.listens, "the kernel to listen")
        (host,) = own.hosts._hosts.values()
        of_host = waited_for(host.process.pid)
        assert len(of_host) == 3, "its door, its parent's end, its children's"
        wait_for(lambda: kernel.held.poll() is None and kernel.held.pid, "its process")
        of_kernel = waited_for(kernel.held.pid)
    assert of_kernel
    assert of_kernel.isdisjoint(of_host)


def test_who_asks_for_nothing_that_makes_sense_gets_nothing(own: Kitchen) -> None:
    for line in (
        b"?\n",
        b"[]\n",
        b"{}\n",
        b'{"directory": 3, "log": "l"}\n',
        b"[" * 60_000 + b"\n",
    ):
        with socket.socket(socket.AF_UNIX) as client:
            reach(client, own.door)
            client.settimeout(20)
            client.sendall(line)
            assert client.recv(1) == b""
    assert survives(own, lambda _: None)


def test_a_host_removes_nothing_that_is_not_its_own(own: Kitchen, tmp_path: Path) -> None:
    place = own.door.parent
    (place / "link").symlink_to(tmp_path)
    for other in (tmp_path, place, place / "..", place / "link", place / ".." / place.name / "a"):
        with socket.socket(socket.AF_UNIX) as client:
            reach(client, own.door)
            client.settimeout(20)
            asked = {"directory": str(other), "log": str(tmp_path / "log")}
            client.sendall(json.dumps(asked).encode() + b"\n")
            assert client.recv(1) == b"", other
    assert survives(own, lambda _: None)
    assert tmp_path.is_dir()


@pytest.mark.skipif(hindrance(True) != "", reason="this machine has no namespaces")
@pytest.mark.parametrize("way", [WARM, COLD])
def test_isolated_cells_find_no_host_and_no_sockets_but_their_own(
    own: Kitchen, installation: Callable[..., Installation], way: str
) -> None:
    hidden = [str(path) for path in installation().private]
    door = own.hosts.door(replace(own.wanted, isolated=True))
    code = f"import json, os\nprint(json.dumps([*os.walk({str(sockets_root())!r})]))"
    with own.place(way) as found:
        cover = Cover(hidden, (), (str(found.directory), str(found.sockets)))
        place = replace(found, isolation=Isolation(cover=cover))
        given = warm_kernel(door, Pool(), place) if way == WARM else cold_kernel(place)
        with given as manager:
            done = by_us(notebook_of(cells(code)), manager, place)
            mine = Path(manager.ip).parent
    told = json.loads(done["cells"][-1]["outputs"][0]["text"])
    seen = {Path(at) for at, _, _ in told}
    assert {at for at in seen if mine not in at.parents} <= {sockets_root(), mine.parent, mine}
    assert mine in seen
    assert not any("door" in files for _, _, files in told)


def test_a_host_that_takes_nobody_in_is_not_waited_for(tmp_path: Path) -> None:
    door = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as host, socket.socket(socket.AF_UNIX) as first:
        host.bind(str(door))
        assert not is_open(door)
        host.listen(0)
        reach(first, door)
        assert is_open(door)
        with socket.socket(socket.AF_UNIX) as second, pytest.raises(OSError, match="unavailable"):
            reach(second, door, seconds=0.01)
    assert not is_open(door)
    with pytest.raises(KernelStartError, match="does not answer"):
        ask(door)
