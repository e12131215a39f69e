"""Code in namespaces of its own: what it can see, reach and change of the machine."""

import os
import socket
import sys
from pathlib import Path

import pytest

from pipeline.containment import Cover, Isolation, NotCoveredError, Program, SupervisedProcess
from pipeline.isolation import IsolationWanted, NotIsolatedError, hindrance

pytestmark = pytest.mark.skipif(hindrance(True) != "", reason="this machine has no namespaces")


def inside(tmp_path: Path, code: str, isolation: Isolation) -> str:
    """Return what *code* prints in namespaces of its own."""
    program = Program([sys.executable, "-c", code], tmp_path, {}, isolation=isolation)
    with SupervisedProcess(program) as process:
        assert process.stdout is not None
        printed = process.stdout.read().decode()
        assert (process.wait(20), process.complaint) == (0, None), printed
    return printed.strip()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("mine", "others", "environment/cache"):
        (tmp_path / "home" / name).mkdir(parents=True)
        (tmp_path / "home" / name / "file").write_text(name)
    (tmp_path / "home" / "secret_key").write_text("secret")
    return tmp_path / "home"


def covering(home: Path) -> Cover:
    write = [str(home / "mine"), str(home / "environment" / "cache"), str(home / "not-there")]
    return Cover([str(home), str(home / "others")], [str(home / "environment")], write)


LOOK = """
import os
def writable(path):
    try: open(path + '/new', 'w').close()
    except OSError: return False
    return True
def look(home):
    names = sorted(os.path.relpath(os.path.join(at, name), home)
                   for at, _, files in os.walk(home) for name in files)
    places = ('', 'mine', 'environment', 'environment/cache')
    print(names, [writable(os.path.join(home, place)) for place in places])
"""
SEEN = "['environment/cache/file', 'mine/file'] [False, True, False, True]"


def test_isolated_code_sees_only_what_it_needs_of_our_home(tmp_path: Path, home: Path) -> None:
    isolation = Isolation(cover=covering(home))
    assert inside(tmp_path, f"{LOOK}\nlook({str(home)!r})", isolation) == SEEN
    assert (home / "mine" / "new").exists()
    assert (home / "secret_key").read_text() == "secret"


def test_a_home_behind_a_link_is_covered_as_well(tmp_path: Path, home: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(home)
    code = f"{LOOK}\nlook({str(home)!r}); look({str(link)!r} + '/')"
    assert inside(tmp_path, code, Isolation(cover=covering(link))).splitlines()[0] == SEEN


def test_what_runs_already_can_be_kept_from_seeing(tmp_path: Path, home: Path) -> None:
    code = f"{LOOK}\nprint('ready', flush=True); input(); look({str(home)!r})"
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    code = code.replace("input()", f"open({str(fifo)!r}).read()")
    program = Program([sys.executable, "-c", code], tmp_path, {}, isolation=Isolation())
    with SupervisedProcess(program) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.cover(covering(home))
        fifo.write_text("go")
        assert process.wait(20) == 0
        assert process.stdout.read().decode().strip() == SEEN


def test_code_that_is_not_isolated_cannot_be_kept_from_seeing(tmp_path: Path, home: Path) -> None:
    program = Program([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, {})
    told = pytest.raises(NotCoveredError, match="it is not isolated")
    with SupervisedProcess(program) as process, told:
        process.cover(covering(home))


def test_isolated_code_can_neither_see_nor_end_other_processes(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "print(len([name for name in os.listdir('/proc') if name.isdecimal()]))\n"
        "os.kill(os.getppid(), signal.SIGKILL)\n"
        "try: os.kill(-1, signal.SIGTERM)\n"
        "except ProcessLookupError: print('nobody else')"
    )
    assert inside(tmp_path, code, Isolation()) == "2\nnobody else"


def test_isolated_code_cannot_take_the_cover_away(tmp_path: Path, home: Path) -> None:
    code = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"home = {str(home)!r}\n"
        "print(libc.umount2(home.encode(), 2), libc.unshare(0x10000000 | 0x20000))\n"
        "print(libc.umount2(home.encode(), 2), os.path.exists(home + '/secret_key'))"
    )
    lines = inside(tmp_path, code, Isolation(cover=covering(home))).splitlines()
    assert lines[0].startswith("-1 ")
    assert lines[1] == "-1 False"


def test_shared_memory_of_isolated_code_is_its_own_and_goes_with_it(tmp_path: Path) -> None:
    before = set(Path("/dev/shm").iterdir())
    code = "import os\nprint(os.listdir('/dev/shm'))\nopen('/dev/shm/left', 'w').close()"
    assert inside(tmp_path, code, Isolation()) == "[]"
    assert set(Path("/dev/shm").iterdir()) <= before


def test_isolated_code_is_who_it_was_before(tmp_path: Path) -> None:
    code = "import os; print(os.getuid(), os.getgid())"
    assert inside(tmp_path, code, Isolation()) == f"{os.getuid()} {os.getgid()}"


def test_without_a_network_there_is_only_its_own_loopback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = (
            "import socket\nprint([name for _, name in socket.if_nameindex()])\n"
            f"try: socket.create_connection(('127.0.0.1', {port}))\n"
            "except OSError as error: print(error.strerror)\n"
            "with socket.create_server(('127.0.0.1', 0)) as own:\n"
            "    socket.create_connection(own.getsockname()).close(); print('own')"
        )
        said = inside(tmp_path, code, Isolation(network=False)).splitlines()
    assert "lo" in said[0]
    assert said[1:] == ["Connection refused", "own"]


def test_the_level_is_what_the_machine_allows_and_the_operator_wants() -> None:
    assert IsolationWanted().level == "namespaces"
    assert IsolationWanted(network=False).level == "namespaces, no network"
    assert IsolationWanted("none").level == "processes"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (IsolationWanted("none", required=True), "PROVENOTE_REQUIRE_ISOLATION is set, and users'"),
        (IsolationWanted("none", network=False), "PROVENOTE_NETWORK is off, and users' code can"),
    ],
)
def test_more_than_there_is_is_refused(wanted: IsolationWanted, told: str) -> None:
    with pytest.raises(NotIsolatedError, match=told):
        _ = wanted.level
