"""A host uses libraries once before it forks: nothing of that is seen in a kernel."""

import subprocess
from pathlib import Path

import pytest

SEEN = """
import random, threading, warnings
import matplotlib, matplotlib.pyplot as plt, numpy
from matplotlib import font_manager
from provenote._rehearse import rehearse

def state():
    return (
        plt.get_fignums(), dict(matplotlib.rcParams), list(warnings.filters),
        random.getstate(), str(numpy.random.get_state()), threading.active_count(),
    )

before, opened = state(), font_manager._get_font.cache_info().currsize
rehearse()
print(state() == before, font_manager._get_font.cache_info().currsize > opened)
"""
BROKEN = """
import sys, types
sys.modules["matplotlib.pyplot"] = types.ModuleType("matplotlib.pyplot")
sys.modules["matplotlib.figure"] = None
from provenote._rehearse import rehearse
rehearse()
print("goes on")
"""


@pytest.fixture
def tell(default_environment: Path):
    def told(code: str) -> str:
        python = [str(default_environment), "-W", "default", "-c", code]
        done = subprocess.run(python, check=True, capture_output=True, text=True)
        assert done.stderr == ""
        return done.stdout

    return told


def test_fonts_are_open_afterwards_and_all_else_is_as_before(tell) -> None:
    assert tell(SEEN) == "True True\n"


def test_a_library_that_cannot_be_used_is_passed_over(tell) -> None:
    assert tell(BROKEN) == "goes on\n"
