"""Kernels that wait: each is handed out once, and those after it know what it has imported."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.kernels.waiting import Pool
from tests.support.kernels import WARM, Kitchen, cells
from tests.support.waiting import wait_for

IMPORTS = """\
import sys, matplotlib.backends.backend_svg, of_the_checkout, wsgiref.simple_server
print('matplotlib.backends.backend_svg' in sys.modules)"""
KNOWS = """\
import json, sys
names = ("matplotlib.backends.backend_svg", "of_the_checkout", "wsgiref.simple_server")
print(json.dumps([name in sys.modules for name in names]))"""


@pytest.fixture
def pool() -> Iterator[Pool]:
    found = Pool()
    yield found
    found.close()


def waiting(pool: Pool) -> list[Path]:
    return [kernel.directory for _, kernel in pool._waiting]


def test_one_that_waits_is_taken_once(kitchen: Kitchen, pool: Pool) -> None:
    pool.prepare(kitchen.door)
    pool.prepare(kitchen.door)
    (directory,) = waiting(pool)
    taken = [pool.take(kitchen.door) for _ in range(2)]
    assert [kernel.directory == directory for kernel in taken] == [True, False]
    assert waiting(pool) == []
    for kernel in taken:
        kernel.close()


def test_one_that_died_while_it_waited_is_not_handed_out(kitchen: Kitchen, pool: Pool) -> None:
    pool.prepare(kitchen.door)
    ((_, dead),) = pool._waiting
    wait_for(lambda: dead.held.poll() is not None or dead.held.pid, "the kernel to start")
    assert dead.held.pid is not None
    psutil.Process(dead.held.pid).kill()
    wait_for(lambda: dead.held.poll() is not None, "its death to be known")
    found = kitchen.execute(cells("print('another')"), WARM, pool=pool)
    assert found.text == ["another\n"]


def test_those_that_were_asked_for_last_wait_and_all_end_with_the_pool(
    kitchen: Kitchen, pool: Pool, tmp_path: Path
) -> None:
    doors = [tmp_path / name for name in "abc"]
    for door in doors:
        door.mkdir()
        (door / "door").symlink_to(kitchen.door)
        pool.prepare(door / "door")
    nobody = tmp_path / "nobody" / "door"
    nobody.parent.mkdir()
    pool.prepare(nobody)
    assert [door.parent for door, _ in pool._waiting] == doors[1:]
    kernels = [kernel for _, kernel in pool._waiting]
    pool.close()
    assert waiting(pool) == []
    for kernel in kernels:
        wait_for(lambda: not kernel.directory.exists(), "what waited to end")  # noqa: B023


def test_a_host_learns_what_a_run_imported_of_packages_that_it_has_and_nothing_else(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    (tmp_path / "of_the_checkout.py").write_text("")
    assert kitchen.execute(cells(KNOWS), WARM).values == [False, False, False]
    kitchen.execute(cells(IMPORTS), WARM, search=[str(tmp_path)])
    place = kitchen.door.parent
    wait_for(lambda: list(place.iterdir()) == [kitchen.door], "the host to bury the kernel")
    assert kitchen.execute(cells(KNOWS), WARM).values == [True, False, False]
