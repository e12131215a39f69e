"""Whatever a kernel leaves, and whoever comes to the door: the host goes on."""

import os
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.kernels.doors import is_open, reach
from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.shared import shared_door
from pipeline.kernels.waiting import ask
from tests.support.kernels import Kitchen
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
    return own_kitchen()


def bury(kitchen: Kitchen, leave: Callable[[Path], object]) -> None:
    """Let a kernel of the host end, with what *leave* puts into its directory."""
    kernel = ask(kitchen.door)
    wait_for(lambda: kernel.listens, "the kernel to listen")
    leave(kernel.directory)
    kernel.close()
    wait_for(lambda: kernel.held.poll() is not None, "the kernel to end", 20)


def still_serves(kitchen: Kitchen) -> bool:
    """Tell whether it is the same host that gives another kernel."""
    (host,) = kitchen.hosts._hosts.values()
    bury(kitchen, lambda _: None)
    return host.process.poll() is None and [*kitchen.hosts._hosts.values()] == [host]


def test_what_a_kernel_tells_of_its_imports_is_not_believed(own: Kitchen) -> None:
    for kind, make in NO_LISTS.items():
        bury(own, lambda directory: make(directory / "imported.json"))  # noqa: B023
        assert still_serves(own), kind
    wait_for(lambda: list(own.door.parent.iterdir()) == [own.door], "the host to bury them", 20)


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
    assert still_serves(own)


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
