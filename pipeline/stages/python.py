"""A Python stage: a function of the project, run in a child process in its environment."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.processes import end_descendants
from pipeline.runner.messages import Failure
from pipeline.stages.follow import GRACE_SECONDS, died, follow
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
    child = subprocess.Popen(
        [venv / "bin" / "python", "-P", "-m", "provenote._stage", context, result],
        cwd=workplace.current,
        env=workplace.environment(venv, {"PROVENOTE_CONTEXT": str(context)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    follow(child, workplace.log, emit)
    end_descendants(GRACE_SECONDS)
    status = child.wait()
    try:
        body = json.loads(read_regular(result, _MAX_RESULT_BYTES))
        if body["status"] == "ok":
            return succeeded(body["outputs"])
        told = {name: body.get(name) for name in ("where", "traceback", "hint")}
        return failed(Failure(str(body["kind"]), str(body["message"]), **told))
    except (OSError, UntrustedFileError, ValueError, TypeError, KeyError):
        return failed(died(status))  # it left no result, or one that is none
