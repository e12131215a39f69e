"""Datasets and models off the server: asked of the command line, which has the ledger."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provenote._context import ContextError
from provenote._results import say

COMMAND = "provenote"


def data_path(dataset: str, partition: str | None, chosen: dict[str, str]) -> Path:
    """Return where the file of a batch lies on this machine."""
    if partition is None:
        raise ContextError(
            f"Which partition of {dataset}? Outside a run nothing tells: name it, as in "
            f"load_dataframe({dataset!r}, '2013-01-31'). `provenote data ls {dataset}` lists them."
        )
    options = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    return Path(_ask("data", "path", *options, "--", dataset, partition)["path"])


def import_frame(frame: Any, dataset: str, partition: str) -> None:
    """Publish *frame* as the current batch of *partition*."""
    from provenote._data import written

    with temporary_file("frame.parquet") as path:
        written(frame, path)
        _ask("data", "import", "--", str(path), dataset, partition)
    say(f"batch for {dataset}/{partition}: {len(frame)} rows, published")


def save_model(
    path: Path, name: str, metadata: dict[str, object], metrics: dict[str, float | None]
) -> None:
    """Publish the file at *path* as the newest version of the model *name*."""
    told = json.dumps(metadata), json.dumps(metrics)
    options = [f"--metadata={told[0]}", f"--metric={told[1]}"]
    answer = _ask("models", "save", *options, "--", str(path), name)
    say(f"model {name}: version {answer['version']} published")


def model_path(name: str, version: int | None) -> Path:
    """Return where the object of a model lies on this machine."""
    chosen = [str(version)] if version is not None else []
    return Path(_ask("models", "path", "--", name, *chosen)["path"])


@contextmanager
def temporary_file(name: str) -> Iterator[Path]:
    """Give the path of a file that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="provenote-") as folder:
        yield Path(folder) / name


def _ask(*words: str) -> dict[str, Any]:
    """Return what the command answers; raise ContextError with its words where it fails."""
    # The command imports its own modules, never those that the user's code is to find.
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [_command(), *words[:2], "--json", *words[2:]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode != 0 or not answer:
        told = answer.get("error", {})
        said = f"{told.get('message', '')} {told.get('hint', '')}".strip() or done.stderr.strip()
        raise ContextError(said or f"`provenote {' '.join(words[:2])}` failed.")
    return answer


def _command() -> str:
    beside = Path(sys.prefix) / "bin" / COMMAND
    found = str(beside) if beside.is_file() else shutil.which(COMMAND)
    if found is None:
        raise ContextError(
            "Datasets and models are kept by provenote, whose command is neither on the PATH nor "
            f"in {beside.parent}. Install provenote here, start Jupyter where its command is "
            "found, or let `provenote run` execute this."
        )
    return found
