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

MAX_LOG_BYTES = 20 * 1024 * 1024
_GRACE_SECONDS = 2.0


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
    if not result.exists():
        return failed(_died(status))
    body: dict[str, Any] = json.loads(result.read_text())
    if body["status"] == "ok":
        return succeeded(body["outputs"])
    told = {name: body.get(name) for name in ("where", "traceback", "hint")}
    return failed(Failure(body["kind"], body["message"], **told))


def _follow(
    child: "subprocess.Popen[bytes]", log: Path, emit: Callable[[dict[str, Any]], None]
) -> None:
    """Copy what *child* prints to its log until it has ended, whoever else holds its output."""
    assert child.stdout is not None  # noqa: S101
    room = MAX_LOG_BYTES
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
