"""A report's execution: parameterise the template, run its cells, tell how it went."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.cells import error_of
from pipeline.containment import ENDED_SECONDS, Isolation, TreeLimits
from pipeline.kernels.cold import KernelPlace, cold_kernel
from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.waiting import POOL
from pipeline.kernels.wanted import COLD, WARM
from pipeline.kernels.warm import warm_kernel
from pipeline.runner.messages import Failure
from pipeline.saving import Emit, Saver
from pipeline.stages.follow import ended_by_us
from pipeline.workplace import Workplace

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbformat import NotebookNode

    from pipeline.kernels.engine import Watch

EXECUTED = "executed.ipynb"
"""The notebook as far as it has come, in the workplace: kept also when the runner is killed."""
_TOO_MUCH = "The cells gave more than {:,} characters; what came after is left out."


def execute_report(job: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Execute the template that *job* describes (a ReportJob) and return how it went."""
    from pipeline.kernels.engine import Watch
    from pipeline.kernels.printing import Printing

    workplace = Workplace(Path(job["workplace"]), job["marker"])
    context = workplace.root / "context.json"
    context.write_text(json.dumps(job["context"] | {"output": job["output"]}))
    saver = Saver(workplace.ours / EXECUTED, emit)
    watch = Watch(
        saver.cell_started, saver.cell_ended, Printing(saver.cell_prints), most=job["output"]
    )
    saver.watch = watch
    kernel, failure = _execute(job, workplace, watch)
    assert watch.notebook is not None or failure is not None  # noqa: S101
    if watch.notebook is not None:
        saver.save()
        failure = failure or error_of(watch.notebook)
        if failure is None and watch.cut:
            told = _TOO_MUCH.format(job["output"])
            failure = Failure("output_limit", told, hint="Show less, or save it by output().")
    return {
        "notebook": str(workplace.ours / EXECUTED) if watch.notebook is not None else None,
        "failure": asdict(failure) if failure else None,
        "kernel": kernel,
    }


def _execute(
    job: dict[str, Any], workplace: Workplace, watch: "Watch"
) -> tuple[str, Failure | None]:
    """Run papermill; return how its kernel came to be, and a failure that no cell shows."""
    with workplace.log.open("ab") as log:
        place = _place(job, workplace, log)
        if job["door"] is not None:
            try:
                with warm_kernel(Path(job["door"]), POOL, place) as manager:
                    return WARM, _watched(job, watch, manager, place)
            except KernelStartError as error:
                log.write(f"{error.message} The kernel is started afresh.\n".encode())
                log.flush()
        with cold_kernel(place) as manager:
            return COLD, _watched(job, watch, manager, place)


def _place(job: dict[str, Any], workplace: Workplace, log: BinaryIO) -> KernelPlace:
    venv, kernel = Path(job["venv"]), job["kernel"]
    told = {"PROVENOTE_CONTEXT": str(workplace.root / "context.json")}
    told |= kernel["variables"] if kernel else {}
    return KernelPlace(
        venv,
        Path(job["directory"]),
        workplace.environment(venv, told),
        job["search"],
        workplace.sockets,
        log,
        kernel,
        TreeLimits(**job["limits"]),
        Isolation.read(job["isolation"]),
    )


def _watched(
    job: dict[str, Any], watch: "Watch", manager: "AsyncKernelManager", place: KernelPlace
) -> Failure | None:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        _by_papermill(job, watch, manager, place.start)
    except PapermillExecutionError:
        return None  # the cell holds its error, and is asked for it afterwards
    except CellTimeoutError:
        return _at(watch, "timed_out", f"took longer than {job['cell_seconds']:.0f} s.")
    except DeadKernelError:
        died = _at(watch, "died", "ended with the death of its kernel.")
        return _ended_by_us(manager, died)
    except RuntimeError as error:
        tail = Path(place.log.name).read_text(errors="replace")[-2000:]
        failed = Failure("kernel", f"No kernel could be started: {error}\n{tail}")
        return _ended_by_us(manager, failed)
    return None


def _ended_by_us(manager: "AsyncKernelManager", other: Failure) -> Failure:
    """Return why the kernel's supervisor ended it, at the place that *other* tells; or *other*."""
    held = getattr(manager.provisioner, "held", None)
    if held is not None:
        held.wait(ENDED_SECONDS)  # it says why when all is ended
    failure = ended_by_us(held, "The notebook") if held is not None else None
    return replace(failure, where=other.where) if failure else other


def _by_papermill(
    job: dict[str, Any],
    watch: "Watch",
    manager: "AsyncKernelManager",
    start: Mapping[str, object],
) -> None:
    import papermill

    from pipeline.kernels.engine import NAME
    from pipeline.kernels.translator import typed

    kernel = job["kernel"] or {"name": "python3", "language": "python"}
    papermill.execute_notebook(
        _template(Path(job["notebook"])),
        None,
        parameters=typed(job["parameters"], job["dates"]),
        engine_name=NAME,
        kernel_name=kernel["name"],
        language=kernel["language"],
        progress_bar=False,
        manager=manager,
        start=start,
        watch=watch,
        execution_timeout=math.ceil(job["cell_seconds"]),  # nbclient counts whole ones
    )


def _at(watch: "Watch", kind: str, what: str) -> Failure:
    return Failure(kind, f"Cell {watch.current + 1} {what}", where=f"cell {watch.current + 1}")


def _template(path: Path) -> "NotebookNode":
    """Read the template, without outputs that somebody may have saved with it."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook
