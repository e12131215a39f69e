"""A chain of stages of which nothing has changed: how soon is that known?"""

import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.folders import notebook, repository
from tests.bench.timing import Timing, Way, run, shell

BIN = Path(sys.executable).parent
LENGTH = 100
GROWTH = (10, 50, 100, 200)
_LATER_LOOKS = 5


@dataclass(frozen=True)
class Chain:
    """A project of ours whose stages stand one upon the other, and the home that it runs in."""

    project: Path
    home: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its commands."""
        return {**os.environ, "PROVENOTE_HOME": str(self.home)}

    def execute(self) -> float:
        """Run it, and return the seconds that it took."""
        began = time.perf_counter()
        run([BIN / "provenote", "run", "end"], self.project, self.environ)
        return time.perf_counter() - began

    def look(self) -> list[float]:
        """Return the seconds of several looks in a new process, one after the other."""
        command = [sys.executable, "-m", "tests.bench.look", str(self.project), str(_LATER_LOOKS)]
        root = Path(__file__).parents[2]
        return [float(item) for item in json.loads(run(command, root, self.environ).stdout)]


def make_chain(folder: Path, home: Path, length: int) -> Chain:
    """Make a project of *length* Python stages; each reads what the one before it wrote."""
    files = {
        "provenote.toml": _manifest(length),
        "stages/__init__.py": "",
        "stages/common.py": "def told(number):\n    return str(number)\n",
        "end.ipynb": notebook([(None, "last = None"), (None, "print(open(last).read())")]),
    }
    for number in range(length):
        files[f"stages/step{number}.py"] = _step(number)
    return Chain(repository(folder, files), home)


def _manifest(length: int) -> str:
    parts = ['[project]\nname = "chain"']
    for number in range(length):
        parts.append(f'[stages.s{number}]\npython = "stages.step{number}:build"')
        if number:
            parts.append(f'inputs = {{ before = "s{number - 1}" }}')
    last = f'inputs = {{ last = "s{length - 1}" }}'
    return "\n".join([*parts, f'[reports.end]\ntemplate = "end.ipynb"\n{last}\n'])


def _step(number: int) -> str:
    start = "from stages.common import told\n\n\n"
    if not number:
        return f"{start}def build():\n    return told(0)\n"
    return f"{start}def build(before):\n    return before.read_text() + told({number})\n"


def ways(chain: Chain) -> dict[str, Way]:
    """Return our ways to know that nothing is to be done."""
    plan = shell([BIN / "provenote", "plan"], chain.project, chain.environ)
    return {
        "provenote plan, from the shell": plan,
        "provenote in process, first look": lambda: chain.look()[0],
        "provenote in process, later looks": lambda: statistics.median(chain.look()[1:]),
    }


def growth(folder: Path, home: Path) -> list[Timing]:
    """Return how the looks grow with the length of the chain."""
    found = []
    for length in GROWTH:
        chain = make_chain(folder / str(length), home, length)
        chain.execute()
        looks = [chain.look() for _ in range(_LATER_LOOKS)]
        later = [statistics.median(one[1:]) for one in looks]
        found.append(
            Timing.of(f"{length} stages, in process, first look", [one[0] for one in looks])
        )
        found.append(Timing.of(f"{length} stages, in process, later looks", later))
    return found
