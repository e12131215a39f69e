"""Side-by-side timings of whole commands, in one run: ``make bench``.

The same small report (pandas and one figure) is made by hand, with papermill's and
nbconvert's own commands, and by ``provenote run`` from a cold shell; and once more where
nothing has changed. Each is run several times in turn, so that a machine whose speed drifts
slows all of them alike.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.environments import environment_for, lock_of
from pipeline.repository.tree import MemoryTree

ROUNDS = 5
BIN = Path(sys.executable).parent
CELLS = (
    ("parameters", "days = 60"),
    (
        None,
        "import matplotlib.pyplot as plt\nimport pandas as pd\n"
        "frame = pd.DataFrame({'day': range(days), 'visits': [n % 7 for n in range(days)]})\n"
        "frame.describe()",
    ),
    (None, "frame.plot(x='day', y='visits', figsize=(7, 3))\nplt.show()"),
)


@dataclass(frozen=True)
class Timing:
    """Seconds of one way to do it, over all rounds."""

    name: str
    median: float
    minimum: float
    maximum: float


def main() -> None:
    """Measure, print a table, and write it as JSON to the file that is named, if any."""
    with tempfile.TemporaryDirectory(prefix="provenote-bench-") as folder:
        ways = _ways(Path(folder))
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for round_ in range(ROUNDS + 1):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                if round_:  # the first round warms the disk's cache
                    seconds[name].append(time.perf_counter() - began)
    timings = [
        Timing(name, statistics.median(found), min(found), max(found))
        for name, found in seconds.items()
    ]
    _print(timings)
    if len(sys.argv) > 1:
        told = {"rounds": ROUNDS, "python": sys.version.split()[0], "cores": os.cpu_count()}
        told["timings"] = [asdict(timing) for timing in timings]
        Path(sys.argv[1]).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _print(timings: list[Timing]) -> None:
    first = timings[0].median
    print(f"{'seconds of a whole command':<44}{'median':>8}{'min':>8}{'max':>8}{'ratio':>8}")
    for one in timings:
        print(
            f"{one.name:<44}{one.median:>8.2f}{one.minimum:>8.2f}{one.maximum:>8.2f}"
            f"{one.median / first:>8.2f}"
        )


def _ways(folder: Path) -> Mapping[str, Callable[[], None]]:
    """Return what is compared; the first is what the others are measured by."""
    home, project = folder / "home", folder / "project"
    environment = environment_for(home / "environments", lock_of(MemoryTree({}), None))
    jupyter = _kernelspec(folder / "jupyter", environment.python)
    _project(project)
    template, executed = project / "report.ipynb", folder / "executed.ipynb"
    by_hand = {**os.environ, "JUPYTER_PATH": str(jupyter)}
    ours = {**os.environ, "PROVENOTE_HOME": str(home)}

    def papermill_and_nbconvert() -> None:
        command = [BIN / "papermill", template, executed, "-k", "bench", "--no-progress-bar"]
        _run([*command, "-p", "days", "90"], project, by_hand)
        _run([BIN / "jupyter-nbconvert", "--to", "html", executed], project, by_hand)

    def run(*more: str) -> Callable[[], None]:
        command = [BIN / "provenote", "run", "report", "-p", "days=90", *more]
        return lambda: _run(command, project, ours)

    def plan() -> None:
        _run([BIN / "provenote", "plan", "report", "-p", "days=90"], project, ours)

    return {
        "papermill + jupyter nbconvert, by hand": papermill_and_nbconvert,
        "provenote run --force, cold shell": run("--force"),
        "provenote run, nothing changed": run(),
        "provenote plan, nothing changed": plan,
    }


def _kernelspec(jupyter: Path, python: Path) -> Path:
    spec = jupyter / "kernels" / "bench" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "bench", "language": "python"}))
    return jupyter


def _project(folder: Path) -> None:
    folder.mkdir()
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": [tag]} if tag else {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, (tag, source) in enumerate(CELLS)
    ]
    kernel = {"name": "bench", "display_name": "bench", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (folder / "report.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "provenote.toml").write_text(
        '[project]\nname = "bench"\n[reports.report]\ntemplate = "report.ipynb"\n',
        encoding="utf-8",
    )
    git = shutil.which("git")
    if git is None:
        raise SystemExit("git is not installed.")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    _run([git, "init", "--quiet"], folder, os.environ)
    _run([git, "add", "--all"], folder, os.environ)
    _run([git, *identity, "commit", "--quiet", "-m", "Bench"], folder, os.environ)


def _run(command: list[Path | str], directory: Path, environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, check=False, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")


main()
