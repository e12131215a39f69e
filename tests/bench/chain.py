"""A chain of stages of which nothing has changed: how soon is that known?"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import PROVENOTE, environ_of, run
from tests.bench.folders import notebook, repository

LENGTH = 100
LOOKS = 1 + 5
"""Looks of one process: a first one, and later ones."""


@dataclass(frozen=True)
class Chain:
    """A project of ours whose stages stand one upon the other, and the home that it runs in."""

    project: Path
    home: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its commands."""
        return environ_of(self.home)

    def execute(self) -> float:
        """Run it, and return the seconds that it took."""
        began = time.perf_counter()
        run([PROVENOTE, "run", "end"], self.project, self.environ)
        return time.perf_counter() - began

    def look(self) -> list[float]:
        """Return the seconds of looks in a new process, one after the other."""
        command = [sys.executable, "-m", "tests.bench.look", str(self.project), str(LOOKS)]
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
