"""What executes users' code leaves the processor to what answers people."""

import os
from pathlib import Path

import pytest

from tests.support.kernels import COLD, WARM, Kitchen, cells

TELLS = """\
import json, os
try:
    group = open("/proc/self/autogroup").read().split()[-1]
except OSError:
    group = None
print(json.dumps([os.nice(0), group]))"""


@pytest.mark.parametrize("way", [WARM, COLD])
def test_a_kernel_gives_way_and_its_session_too(kitchen: Kitchen, way: str) -> None:
    nice, group = kitchen.execute(cells(TELLS), way).values
    assert nice == max(10, os.nice(0))
    if Path("/proc/self/autogroup").exists():
        assert group == "10"
