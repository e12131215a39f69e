"""jupyter-scheduler: notebooks as jobs of a Jupyter server, which starts a process for each."""

import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.processes import end_with_parent
from tests.bench.commands import plain_environ
from tests.bench.peers.by_hand import VERSIONS as OF_REPORTS
from tests.bench.peers.installed import NotInstallableError, installed
from tests.bench.rounds import Way
from tests.bench.servers import free_port, stop

if TYPE_CHECKING:
    from tests.bench.place import Place

NAME, VERSION = "jupyter-scheduler", "2.12.1"
_SERVER = "2.21.1"
_START_SECONDS, _JOB_SECONDS, _POLL_SECONDS = 60.0, 120.0, 0.02
_NOT_YET = ("CREATED", "QUEUED", "IN_PROGRESS", "STOPPED")
"""The last is what it calls a job whose process is only starting."""


@dataclass(frozen=True)
class Scheduler:
    """A Jupyter server with the extension; without a port it has no place here."""

    folder: Path
    port: int | None
    token: str = ""

    def ways(self, template: Path, days: Iterator[int]) -> dict[str, Way]:
        """Return its way of making the small report: a job with a page as its output."""
        if self.port is None:
            return {}
        shutil.copy(template, self.folder / "report.ipynb")
        found = self._send("GET", "/scheduler/runtime_environments")
        environment = str(found[0]["name"])
        return {f"{NAME}, request to finished job": lambda: self._job(environment, next(days))}

    def _job(self, environment: str, days: int) -> None:
        wanted = {
            "name": "report",
            "input_uri": "report.ipynb",
            "runtime_environment_name": environment,
            "output_formats": ["ipynb", "html"],
            "parameters": {"days": str(days)},
        }
        job = self._send("POST", "/scheduler/jobs", wanted)["job_id"]
        deadline = time.monotonic() + _JOB_SECONDS
        status = "CREATED"
        while status in _NOT_YET and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            found = self._send("GET", f"/scheduler/jobs/{job}")
            status = found["status"]
        if status != "COMPLETED":
            raise SystemExit(f"{NAME}: the job ended as {status}: {found}")

    def _send(self, method: str, path: str, body: object | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port or 0, timeout=60)
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= http.client.BAD_REQUEST:
                raise SystemExit(f"{NAME}: {method} {path} was answered {answer.status}: {text!r}")
            return json.loads(text)
        finally:
            connection.close()

    def answers(self) -> bool:
        """Tell whether the server is up."""
        with suppress(OSError, http.client.HTTPException):
            self._send("GET", "/scheduler/jobs")
            return True
        return False


@contextmanager
def ready(place: "Place") -> Iterator[Scheduler]:
    """Give the scheduler, served until the block ends; one without ways if it is left out."""
    folder = place.new(NAME)
    names = ("ipykernel", "pandas", "matplotlib", "nbconvert")
    pinned = [f"{name}=={OF_REPORTS[name]}" for name in names]
    try:
        root = place.caches / f"{NAME}-{VERSION}"
        pinned += [f"jupyter-scheduler=={VERSION}", f"jupyter-server=={_SERVER}"]
        programs = installed(root, pinned)
    except NotInstallableError as error:
        place.leave_out(NAME, str(error))
        yield Scheduler(folder, None)
        return
    with _served(folder, programs) as scheduler:
        yield scheduler


@contextmanager
def _served(folder: Path, programs: Path) -> Iterator[Scheduler]:
    """Start the server, and end it with the block."""
    root, data = folder / "root", folder / "data"
    for made in (root, data):  # the server keeps its database in the second, and does not make it
        made.mkdir()
    scheduler = Scheduler(root, free_port(), secrets.token_hex(16))
    environ = plain_environ(
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
        JUPYTER_TOKEN=scheduler.token,
        JUPYTER_DATA_DIR=str(data),
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
    )
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            _command(programs, root, scheduler.port or 0),
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not scheduler.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{NAME} did not start:\n{log.read_text()}")
            time.sleep(_POLL_SECONDS)
        yield scheduler
    finally:
        stop(process)


def _command(programs: Path, root: Path, port: int) -> list[str | Path]:
    return [
        programs / "jupyter",
        "server",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={root}",
    ]
