"""A command stage: a program of this machine, run on a private copy of the project's files."""

import json
import mimetypes
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.containment import Isolation, Program, SupervisedProcess, TreeLimits
from pipeline.runner.messages import Failure
from pipeline.stages.follow import died, ended_by_us, follow
from pipeline.stages.outcome import failed, succeeded
from pipeline.workplace import RESULTS, Workplace

PROJECT = "project"
"""Where below the workplace the files lie that the program runs in."""
_TAIL = 2_000
_MEDIA = {".parquet": "application/vnd.apache.parquet"}


def execute_command(job: dict[str, Any], emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run the program that *job* describes (a CommandJob) and return how it went.

    Its arguments are given as they are: no shell reads them.
    """
    workplace = Workplace(Path(job["workplace"]), job["marker"])
    context = workplace.root / "context.json"
    context.write_text(json.dumps(job["context"]))
    directory = workplace.root / PROJECT
    _lay_files(Path(job["root"]), job["files"], directory)
    told = {"PROVENOTE_CONTEXT": str(context), RESULTS: str(workplace.results)}
    environment = workplace.environment(Path(job["venv"]), told)
    limits, isolation = TreeLimits(**job["limits"]), Isolation.read(job["isolation"])
    program = Program(job["argv"], directory, environment, limits, isolation)
    with SupervisedProcess(program) as process:
        status = follow(process, workplace.log, emit, job["output"])
    if process.complaint is not None:
        return failed(_not_started(job["argv"][0], process.complaint))
    if failure := ended_by_us(process, "The command"):
        return failed(failure)
    if status < 0:
        return failed(died(status))
    if status != 0:
        return failed(_ended(job["argv"][0], status, workplace.log))
    outputs = list(_outputs(workplace.outputs, job["outputs"]))
    missing = [output["name"] for output in outputs if not Path(output["path"]).is_file()]
    return failed(_missing(missing, job["outputs"])) if missing else succeeded(outputs)


def _lay_files(root: Path, files: list[str], directory: Path) -> None:
    """Copy the files that the command stands on: what else the project has is not there."""
    directory.mkdir()
    for path in files:
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, target)


def _outputs(folder: Path, outputs: dict[str, str]) -> Iterator[dict[str, Any]]:
    for name, filename in outputs.items():
        path = folder / filename
        yield {"name": name, "path": str(path), "media_type": media_type_of(path)}


def media_type_of(path: Path) -> str:
    """Return the media type that the suffix of *path* means."""
    # A table of Python's own: the system's would make the answer depend on the host.
    guessed = _MEDIA.get(path.suffix) or mimetypes.MimeTypes().guess_type(path.name)[0]
    return guessed or "application/octet-stream"


def _not_started(program: str, why: str) -> Failure:
    return Failure(
        "command",
        f"{program} could not be started: {why}.",
        hint="Is it installed on the worker, and is a script of the project executable (chmod +x)?",
    )


def _ended(program: str, status: int, log: Path) -> Failure:
    tail = log.read_text(errors="replace")[-_TAIL:].strip() if log.is_file() else ""
    return Failure(
        "command",
        f"{program} ended with exit status {status}.",
        traceback=tail or None,
        hint="Its files are those that the stage's command and scripts name; others are listed "
        "under `files`.",
    )


def _missing(names: list[str], outputs: dict[str, str]) -> Failure:
    files = ", ".join(f"{name} ({outputs[name]})" for name in names)
    return Failure(
        "outputs",
        f"The command ended well, but left no output {files}.",
        hint="Let it write to the path that {outputs.NAME} stands for.",
    )
