"""The name of who holds a claim tells for sure whether they still live."""

import os
import signal
import subprocess
import sys

from app.work.owner import is_alive, owner_name
from pipeline.host import this_host
from tests.support.waiting import wait_for

TELL = "from app.work.owner import owner_name; print(owner_name(), flush=True); input()"


def test_a_process_is_known_while_it_lives_and_when_it_is_gone() -> None:
    command = [sys.executable, "-P", "-c", TELL]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert name.startswith(f"{this_host()}/{process.pid}/")
        assert is_alive(name)
        process.send_signal(signal.SIGSTOP)
        assert is_alive(name)
        process.kill()
        # Not waited for yet, it is a zombie: that holds no claim either.
        wait_for(lambda: not is_alive(name), "the process to be gone")
    assert not is_alive(name)


def test_another_process_with_the_same_number_is_not_the_owner() -> None:
    name = owner_name()
    assert is_alive(name)
    before = name.rpartition("/")[0]
    assert not is_alive(f"{before}/1")
    assert not is_alive(f"{before}/None")


def test_a_name_that_is_none_is_nobodys() -> None:
    for rest in ("", "7", "seven/8", f"{os.getpid()}/", f"../{os.getpid()}/1"):
        assert not is_alive(f"{this_host()}/{rest}")
