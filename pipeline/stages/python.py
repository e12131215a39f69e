"""A Python stage: a function of the project, run in a child process in its environment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.containment import Isolation, Program, SupervisedProcess, TreeLimits
from pipeline.runner.messages import Failure
from pipeline.stages.follow import died, ended_by_us, follow
from pipeline.stages.outcome import failed, succeeded
from pipeline.untrusted import UntrustedFileError, read_regular
from pipeline.workplace import Workplace

_MAX_RESULT_BYTES = 16 * 1024 * 1024


def execute_stage(job: dict[str, Any], emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run the stage that *job* describes (a StageJob) and return how it went."""
    workplace = Workplace(Path(job["workplace"]), job["marker"])
    context, result = workplace.root / "context.json", workplace.root / "result.json"
    context.write_text(json.dumps(job["context"]))
    venv = Path(job["venv"])
    python = str(venv / "bin" / "python")
    program = Program(
        [python, "-P", "-m", "provenote._stage", str(context), str(result)],
        workplace.current,
        workplace.environment(venv, {"PROVENOTE_CONTEXT": str(context)}),
        TreeLimits(**job["limits"]),
        Isolation.read(job["isolation"]),
    )
    with SupervisedProcess(program) as process:
        status = follow(process, workplace.log, emit, job["output"])
    if failure := ended_by_us(process, "The stage"):
        return failed(failure)
    try:
        body = json.loads(read_regular(result, _MAX_RESULT_BYTES))
        if body["status"] == "ok":
            return succeeded(body["outputs"])
        told = {name: body.get(name) for name in ("where", "traceback", "hint")}
        return failed(Failure(str(body["kind"]), str(body["message"]), **told))
    except (OSError, UntrustedFileError, ValueError, TypeError, KeyError):
        return failed(died(status))  # it left no result, or one that is none
