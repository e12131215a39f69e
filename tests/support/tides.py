"""A small project whose reports need neither pandas nor luck: they go on when they are told to."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import LONG
from tests.support.repository import Files, Repository, make_repository, notebook
from tests.support.waiting import wait_for

MANIFEST = """\
[project]
name = "tides"

[params.n]
type = "int"
default = 1

[stages.count]
python = "stages.count:build"

[reports.quick]
template = "reports/quick.ipynb"
inputs = { count = "count" }
on = ["push"]

[reports.gated]
template = "reports/gated.ipynb"
"""
STAGE = """\
def build(n: int) -> str:
    if n == 13:
        raise ValueError("thirteen tides are too many")
    return "tide " * n
"""
QUICK = notebook(
    "# Quick",
    "n = 1\ncount = None",
    "import provenote\nwaves = open(count).read()\nprint(waves)",
    "provenote.metric('waves', len(waves.split()), unit='tides')",
    "provenote.check(n < 100, 'fewer than a hundred tides')",
    tagged=1,
)
GATED = notebook(
    "# Gated",
    "gate = ''",
    "print('the first cell is done')",
    "import os, time\n"
    "with open(gate + '.began', 'a') as began:\n"
    "    began.write(f'{os.getpid()}\\n')\n"
    "while not os.path.exists(gate):\n"
    "    time.sleep(0.02)",
    "import provenote\nprovenote.check(True, 'the gate was opened')",
    tagged=1,
)
FILES: Files = {
    "provenote.toml": MANIFEST,
    "stages/count.py": STAGE,
    "reports/quick.ipynb": QUICK,
    "reports/gated.ipynb": GATED,
}


def make_tides(path: Path) -> Repository:
    """Make the project's repository with one commit."""
    return make_repository(path, FILES)


@dataclass(frozen=True)
class Gate:
    """Where a run of the report ``gated`` waits in the middle of a cell."""

    path: Path

    @property
    def pids(self) -> list[int]:
        """Return the kernels that have come here, one an execution."""
        began = Path(f"{self.path}.began")
        return [int(line) for line in began.read_text().split()] if began.exists() else []

    def reached(self, times: int = 1) -> None:
        """Wait until an execution waits here, the *times*-th."""
        wait_for(lambda: len(self.pids) >= times, f"execution {times} at {self.path.name}", LONG)

    def open(self) -> None:
        """Let everybody through."""
        self.path.touch()
