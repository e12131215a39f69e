"""The runner process: jobs come in on standard input, events and results go out."""

import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.containment import AT_WORK, end_at_work
from pipeline.kernels.waiting import POOL
from pipeline.processes import become_supervisor, end_descendants
from pipeline.runner.messages import UNSTOPPABLE
from pipeline.saving import save_what_is_open
from provenote._begin import give_way

Emit = Callable[[dict[str, Any]], None]
_AFTER_SECONDS = 0.2
"""How long after a report a kernel is made for the next one, unless that is there by then."""


def main() -> None:
    """Serve jobs until standard input ends."""
    become_supervisor()
    give_way()
    signal.signal(signal.SIGTERM, _end)
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not look like a message
    lock = threading.Lock()

    def emit(message: dict[str, Any]) -> None:
        with lock:
            channel.write(json.dumps(message, default=str).encode() + b"\n")
            channel.flush()

    _executing.start()
    _rendering.start()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        match job["op"]:
            case "prepare":
                POOL.prepare(Path(job["door"]))
            case "stop":
                _stop(emit)
            case _:
                # In a thread: nbclient would take over the signal handlers of the main one.
                threading.Thread(target=_work, args=(job, emit), daemon=True).start()
    os._exit(0)


def _work(job: dict[str, Any], emit: Emit) -> None:
    """Do the job and answer; then let a kernel get ready for one like it."""
    answer = _serve(dict(job), emit)
    end_descendants()
    emit(answer)
    if door := job.get("report", job).get("door"):
        # Not at once: the page of this one comes first, and has its reader waiting.
        time.sleep(_AFTER_SECONDS)
        POOL.prepare(Path(door))


def _stop(emit: Emit) -> None:
    """End what the job executes; it then answers soon. Say so where there is nothing to end."""
    if not AT_WORK:
        emit({"event": UNSTOPPABLE})
    for process in list(AT_WORK):
        process.end()


def _end(*_: object) -> None:
    end_at_work()
    save_what_is_open()
    end_descendants()
    os._exit(143)


def _import_executing() -> None:
    """Import what executes a report, while the first job, a stage more often than not, goes on."""
    # papermill would import what opens notebooks in clouds, which it is never asked for here.
    absent = [name for name in _OF_CLOUDS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: not to be had
    try:
        import pipeline.kernels.engine
        import pipeline.kernels.provisioner
    finally:
        for name in absent:
            del sys.modules[name]

    del pipeline
    # What it has to say, of a kernel that died or parameters that it cannot look for, we say too.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)


def _import_rendering() -> None:
    """Prepare what renders, once that is done: it is needed when cells have been executed."""
    _executing.join()
    from pipeline.rendering.page import prepare

    prepare()


_OF_CLOUDS = ("boto3", "pyarrow.fs", "gcsfs", "azure")
_executing = threading.Thread(target=_import_executing, daemon=True)
_rendering = threading.Thread(target=_import_rendering, daemon=True)
# Two threads that import packages which import one another would each see the other's half-made
# modules. So a job waits for what it needs itself, and for all that could get in its way.
_WAITS_FOR = {"stage": (), "command": (), "report": (_executing,), "notebook": (_executing,)}


def _serve(job: dict[str, Any], emit: Emit) -> dict[str, Any]:
    try:
        for thread in _WAITS_FOR.get(job["op"], (_executing, _rendering)):
            thread.join()
        return {"result": _perform(job, emit)}
    except Exception:  # whatever it is, the worker must hear of it
        return {"failed": traceback.format_exc()}


def _perform(job: dict[str, Any], emit: Emit) -> dict[str, Any]:
    match job.pop("op"):
        case "stage":
            from pipeline.stages.python import execute_stage

            return execute_stage(job, emit)
        case "sql":
            from pipeline.stages.sql import execute_query

            return execute_query(job, emit)
        case "command":
            from pipeline.stages.command import execute_command

            return execute_command(job, emit)
        case "notebook":
            from pipeline.stages.notebook import execute_notebook

            return execute_notebook(job, emit)
        case "report":
            from pipeline.report import execute_report

            return execute_report(job, emit)
        case other:
            return _look(other, job)


def _look(op: str, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job that executes nothing of users, but reads what their code has made."""
    if op == "render":
        from pipeline.rendering.page import render_page

        return render_page(job)
    if op == "compare":
        from pipeline.reproduction.comparison import execute_comparison

        return execute_comparison(job)
    raise ValueError(f"no such job: {op!r}")


if __name__ == "__main__":
    main()
