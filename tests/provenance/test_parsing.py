"""Python is parsed by many threads, and by children of a process whose threads parse."""

import gc
import os
import sys
import threading
from collections.abc import Iterator

import pytest

import provenance.parsing as place
from provenance.parsing import parse

FUNCTION = "def f{0}(x):\n    return [a + (b * {0}) for a, b in x if a]\n"
SOURCE = "".join(FUNCTION.format(number) for number in range(40))


class Cyclic:
    """What the collector finds in the midst of a tree: its end lets other threads take a turn."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


@pytest.fixture
def often() -> Iterator[None]:
    """Let threads take turns, and the collector look, as often as possible."""
    before, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    yield
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(before)


def test_many_threads_parse_at_once(often: None) -> None:
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(40):
                for _ in range(5):
                    Cyclic()
                parse(SOURCE)
        except SystemError as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_child_parses_though_a_thread_of_its_parent_was_at_it() -> None:
    with place._lock:
        child = os.fork()
        if child == 0:
            parse("x = 1")
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_what_is_no_python_raises_what_it_always_did() -> None:
    with pytest.raises(SyntaxError):
        parse("x =")
