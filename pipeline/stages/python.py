"""A Python stage: a function of the project, run in a child process in its environment."""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.containment import Workplace, end_descendants
from pipeline.runner.messages import Failure
from pipeline.stages.outcome import failed, succeeded
from pipeline.untrusted import UntrustedFileError, read_regular

MAX_LOG_BYTES = 20 * 1024 * 1024
_GRACE_SECONDS = 2.0
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
    _follow(child, workplace.log, emit)
    end_descendants(_GRACE_SECONDS)
    status = child.wait()
    try:
        body = json.loads(read_regular(result, _MAX_RESULT_BYTES))
        if body["status"] == "ok":
            return succeeded(body["outputs"])
        told = {name: body.get(name) for name in ("where", "traceback", "hint")}
        return failed(Failure(str(body["kind"]), str(body["message"]), **told))
    except (OSError, UntrustedFileError, ValueError, TypeError, KeyError):
        return failed(_died(status))  # it left no result, or one that is none


def _follow(
    child: "subprocess.Popen[bytes]", log: Path, emit: Callable[[dict[str, Any]], None]
) -> None:
    """Copy what *child* prints to its log until it has ended, whoever else holds its output."""
    assert child.stdout is not None  # noqa: S101
    room, ended = MAX_LOG_BYTES, None
    with log.open("ab") as sink, selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        lingers = float("inf")
        while time.monotonic() < lingers:
            if child.poll() is not None:
                # What it printed last is still to be read; what it left may print for ever.
                lingers = min(lingers, time.monotonic() + _GRACE_SECONDS)
            if not selector.select(0.2):
                if child.poll() is not None:
                    return
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk:
                child.wait()
                return
            if child.poll() is not None and ended is None:
                ended = time.monotonic()
            if ended is not None and time.monotonic() - ended > _GRACE_SECONDS:
                return  # whoever still writes there is not the stage
            if room > 0:
                emit({"event": "log", "text": chunk.decode(errors="replace")})
                sink.write(chunk[:room])
                room -= len(chunk)
                if room <= 0:
                    sink.write(b"\n[cut: the log is limited to 20 MiB]\n")


def _died(status: int) -> Failure:
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Failure(
        "died",
        f"The stage's process died ({how}) before it had a result.",
        hint="A library may have crashed or called os._exit, or memory was short.",
    )
