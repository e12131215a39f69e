"""A notebook stage: a notebook that is executed for the files that it leaves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.report import execute_report
from pipeline.runner.messages import Failure
from pipeline.stages.command import media_type_of
from pipeline.stages.outcome import failed, succeeded
from pipeline.stored import PRIVATE
from pipeline.workplace import Workplace


def execute_notebook(job: dict[str, Any], emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Execute the notebook that *job* describes (a NotebookJob) and return how it went."""
    report = job["report"]
    result = execute_report(report, emit)
    if result["failure"] is not None:
        return failed(Failure(**result["failure"]))
    folder = Workplace(Path(report["workplace"]), report["marker"]).outputs
    left = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    # What it stored for publication is no output by itself.
    found = {path: path.stem for path in left if PRIVATE not in path.relative_to(folder).parts}
    outputs = list(_outputs(folder, found, job["outputs"]))
    if not outputs:
        return failed(_nothing(found, folder))
    return succeeded(outputs, notebook=result["notebook"])


def _outputs(
    folder: Path, found: dict[Path, str], declared: dict[str, str | None]
) -> Iterator[dict[str, Any]]:
    """Yield the declared outputs that are there; where none are declared, every file."""
    wanted: dict[str, Path] = {}
    if not declared:
        wanted = {stem: path for path, stem in found.items() if stem.isidentifier()}
    for name, filename in declared.items():
        named = [path for path, stem in found.items() if filename is None and stem == name]
        path = folder / filename if filename is not None else next(iter(named), folder / name)
        if path.is_file():
            wanted[name] = path
    for name, path in wanted.items():
        yield {"name": name, "path": str(path), "media_type": media_type_of(path)}


def _nothing(found: dict[Path, str], folder: Path) -> Failure:
    left = ", ".join(str(path.relative_to(folder)) for path in found) or "nothing"
    return Failure(
        "outputs",
        f"The notebook ended well, but none of its outputs is there; it left {left}.",
        hint="Write each to the path that provenote.output('NAME.parquet') gives.",
    )
