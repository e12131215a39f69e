"""One small report (pandas and a figure): by hand, and by ``provenote run`` from a cold shell."""

import json
import os
import sys
from pathlib import Path

from pipeline.environments import environment_for, lock_of
from pipeline.repository.tree import MemoryTree
from tests.bench.folders import notebook, repository
from tests.bench.timing import Way, run, shell

BIN = Path(sys.executable).parent
TITLE = "seconds of a whole command"
_CELLS = (
    ("parameters", "days = 60"),
    (
        None,
        "import matplotlib.pyplot as plt\nimport pandas as pd\n"
        "frame = pd.DataFrame({'day': range(days), 'visits': [n % 7 for n in range(days)]})\n"
        "frame.describe()",
    ),
    (None, "frame.plot(x='day', y='visits', figsize=(7, 3))\nplt.show()"),
)
_MANIFEST = '[project]\nname = "bench"\n[reports.report]\ntemplate = "report.ipynb"\n'


def ways(folder: Path, home: Path) -> dict[str, Way]:
    """Return what is compared; the first is what the others are measured by."""
    environment = environment_for(home / "environments", lock_of(MemoryTree({}), None))
    jupyter = _kernelspec(folder / "jupyter", environment.python)
    files = {"report.ipynb": notebook(_CELLS), "provenote.toml": _MANIFEST}
    project = repository(folder / "project", files)
    by_hand = {**os.environ, "JUPYTER_PATH": str(jupyter)}
    ours = {**os.environ, "PROVENOTE_HOME": str(home)}
    template, executed = project / "report.ipynb", folder / "executed.ipynb"

    def papermill_and_nbconvert() -> None:
        files = [BIN / "papermill", template, executed]
        run([*files, "-k", "bench", "--no-progress-bar", "-p", "days", "90"], project, by_hand)
        run([BIN / "jupyter-nbconvert", "--to", "html", executed], project, by_hand)

    def provenote(*arguments: str) -> Way:
        return shell([BIN / "provenote", *arguments, "-p", "days=90"], project, ours)

    return {
        "papermill + jupyter nbconvert, by hand": papermill_and_nbconvert,
        "provenote run --force, cold shell": provenote("run", "report", "--force"),
        "provenote run, nothing changed": provenote("run", "report"),
        "provenote plan, nothing changed": provenote("plan", "report"),
    }


def _kernelspec(jupyter: Path, python: Path) -> Path:
    spec = jupyter / "kernels" / "bench" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "bench", "language": "python"}))
    return jupyter
