"""Hosts: one for each kind that is wanted, replaced when it is no longer what it should be."""

import os
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.installation import Installation
from pipeline.kernels.hosts import HostLimits, KernelHosts, NoHostError, sweep_places
from pipeline.kernels.wanted import HostWanted
from pipeline.runner.client import Runner
from pipeline.workplace import sockets_root
from tests.pipeline.weather import single
from tests.support.evaluations import Bench
from tests.support.kernels import WARM, Kitchen, cells
from tests.support.repository import Repository, notebook

MakeKitchen = Callable[..., Kitchen]


def pids(hosts: KernelHosts) -> list[int]:
    return [host.process.pid for host in hosts._hosts.values()]


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_host_is_there_once_until_its_environment_changes(own_kitchen: MakeKitchen) -> None:
    own = own_kitchen()
    first = own.door
    assert own.door == first
    (pid,) = pids(own.hosts)
    changed = own.hosts.door(replace(own.wanted, stamp="a package more"))
    assert changed != first
    assert not lives(pid)
    assert not first.parent.exists()
    own.hosts.stop()
    assert not changed.parent.exists()


def test_one_that_is_idle_or_too_large_ends_when_it_is_looked_after(
    own_kitchen: MakeKitchen,
) -> None:
    for limits in (HostLimits(idle_seconds=0), HostLimits(memory_bytes=1)):
        own = own_kitchen(limits=limits)
        door = own.door
        (pid,) = pids(own.hosts)
        own.hosts.tend()
        assert pids(own.hosts) == []
        assert not lives(pid)
        assert not door.parent.exists()


def test_the_one_that_was_used_longest_ago_gives_way(own_kitchen: MakeKitchen) -> None:
    own = own_kitchen(limits=HostLimits(hosts=2))
    kinds = [replace(own.wanted, preload=names) for names in ((), ("json",), ("csv",))]
    doors = [own.hosts.door(kind) for kind in kinds[:2]]
    own.hosts.door(kinds[0])
    third = own.hosts.door(kinds[2])
    assert {wanted.preload for wanted in own.hosts._hosts} == {(), ("csv",)}
    assert [door.exists() for door in (*doors, third)] == [True, False, True]


def test_one_that_died_is_replaced(own_kitchen: MakeKitchen) -> None:
    own = own_kitchen()
    first = own.door
    (pid,) = pids(own.hosts)
    os.kill(pid, signal.SIGKILL)
    own.hosts._hosts[own.wanted].process.wait()
    assert own.execute(cells("print('there')"), WARM).text == ["there\n"]
    assert own.door != first
    assert not first.parent.exists()


def test_one_that_cannot_import_a_module_serves_all_the_same(
    own_kitchen: MakeKitchen, capfd: pytest.CaptureFixture[str]
) -> None:
    own = replace(own_kitchen(), preload=("absent_altogether", "wave"))
    found = own.execute(cells("import sys\nprint('wave' in sys.modules)"), WARM)
    assert found.text == ["True\n"]
    assert "not preloaded: absent_altogether: ModuleNotFoundError" in capfd.readouterr().err


def test_no_more_kernels_than_allowed_are_forked_and_the_next_is_told_why(
    own_kitchen: MakeKitchen,
) -> None:
    from pipeline.kernels.failures import KernelStartError
    from pipeline.kernels.waiting import ask

    own = own_kitchen(limits=HostLimits(kernels=1))
    kernel = ask(own.door)
    with pytest.raises(KernelStartError, match="too many kernels"):
        own.execute(cells("1"), WARM)
    kernel.close()


class _NoInterpreter(KernelHosts):
    """Finds no interpreter to start a host with."""

    def door(self, wanted: HostWanted) -> Path:
        found = Path(wanted.venv).parent / "no-environment"
        return super().door(replace(wanted, venv=str(found)))


class _DiesAtOnce(KernelHosts):
    """Starts hosts that end while they import."""

    folder = Path()

    def door(self, wanted: HostWanted) -> Path:
        venv = self.folder / "venv"
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
        (venv / "bin" / "python").chmod(0o755)
        return super().door(replace(wanted, venv=str(venv)))


@pytest.mark.parametrize("kind", [_NoInterpreter, _DiesAtOnce])
def test_where_there_is_none_the_kernel_is_started_afresh(
    installation: Callable[..., Installation],
    runner: Runner,
    default_environment: Path,
    git_project: Callable[..., Repository],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[KernelHosts],
) -> None:
    monkeypatch.setattr(_DiesAtOnce, "folder", tmp_path)
    hosts = kind("tests:none")
    told = "import sys\nprint('executed ' + sys.orig_argv[3])"
    try:
        run = Bench(installation(), runner, hosts)(git_project(single(notebook(told)))).run
    finally:
        hosts.stop()
    assert run.verdict == "passed"
    assert "executed ipykernel_launcher" in run.printed
    if kind is _DiesAtOnce:
        assert "The kernel is started afresh." in run.log


def test_an_interpreter_that_is_not_there_is_told(own_kitchen: MakeKitchen, tmp_path: Path) -> None:
    own = own_kitchen()
    with pytest.raises(NoHostError, match="No kernel host can be started"):
        own.hosts.door(replace(own.wanted, venv=str(tmp_path / "absent")))
    assert pids(own.hosts) == []


def test_only_places_that_nobody_uses_any_more_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    root = sockets_root()
    places = {name: root / f"h-{name}" for name in ("old", "open", "fresh")}
    others = root / "of-an-attempt"
    with socket.socket(socket.AF_UNIX) as door:
        for place in (*places.values(), others):
            (place / "k").mkdir(parents=True)
        door.bind(str(places["open"] / "door"))
        door.listen()
        for place in (places["old"], places["open"], others):
            os.utime(place, (0, 0))
        sweep_places()
    assert [place.exists() for place in places.values()] == [False, True, True]
    assert others.exists()
