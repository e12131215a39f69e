"""``provenote serve`` as people run it, in a home of its own, and a client that stays connected."""

import http.client
import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.processes import end_with_parent
from tests.bench.commands import PROVENOTE, environ_of, run
from tests.bench.folders import bare_clone, make_home
from tests.bench.servers import free_port, stop

PROJECT = "bench"
ENDED = ("finished", "dead")
_WAIT = 60
"""Seconds that the service lets one wait for a run, at most."""
_START_SECONDS, _LONGEST_RUN, _POLL_SECONDS = 60.0, 600.0, 0.1


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, and the seconds from its question to its last byte."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The document in it."""
        return json.loads(self.body)


class Client:
    """Asks over one connection that is kept, as a browser or a program does."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=180)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send a request, and return the answer once all of it is there."""
        for is_last in (False, True):
            began = time.perf_counter()
            try:
                self._connection.request(method, path, body, dict(headers))
                answer = self._connection.getresponse()
                return Answer(answer.status, answer.read(), time.perf_counter() - began)
            except (OSError, http.client.HTTPException) as error:
                # One that stood idle may have been closed at the other end: once more on a new one.
                self._connection.close()
                if is_last or not isinstance(error, ConnectionError):
                    raise
        raise AssertionError("a loop of two rounds returns or raises")

    def api(self, method: str, path: str, body: object | None = None) -> Answer:
        """Call the interface for programs; anything but success ends the bench."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        answer = self.send(method, f"/api/v1{path}", data, headers)
        if answer.status not in (200, 202):
            raise SystemExit(f"{method} {path} was answered {answer.status}: {answer.body!r}")
        return answer

    def ask(self, report: str, params: Mapping[str, object], wait: int | None = None) -> Answer:
        """Ask for a run of *report*, and wait for its end for *wait* seconds."""
        query = "" if wait is None else f"?wait={wait}"
        path = f"/projects/{PROJECT}/reports/{report}/runs{query}"
        return self.api("POST", path, {"params": params})

    def asked_and_passed(self, report: str, params: Mapping[str, object]) -> Answer:
        """Ask for a run and wait for it; one that has not passed ends the bench."""
        answer = self.ask(report, params, wait=_WAIT)
        if answer.json["verdict"] != "passed":
            raise SystemExit(f"The run of {report} did not pass: {answer.json}")
        return answer

    def finished(self, report: str, params: Mapping[str, object]) -> dict[str, Any]:
        """Ask for a run and return it once it has passed, however long it takes."""
        run: dict[str, Any] = self.ask(report, params, wait=_WAIT).json
        deadline = time.monotonic() + _LONGEST_RUN
        while run["status"] not in ENDED and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            run = self.api("GET", f"/runs/{run['id']}").json
        if run["verdict"] != "passed":
            raise SystemExit(f"The run of {report} did not pass: {run}")
        return run

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass
class Service:
    """A served installation with one project, and where it lies."""

    home: Path
    port: int
    repository: Path
    """The bare repository that it fetches from."""
    secret: str
    process: "subprocess.Popen[bytes]"
    log: Path
    clients: list[Client] = field(default_factory=list)

    def client(self) -> Client:
        """Return a new connection; it is closed with the service."""
        client = Client(self.port)
        self.clients.append(client)
        return client


@contextmanager
def serving(folder: Path, environments: Path, repository: Path) -> Iterator[Service]:
    """Serve *repository* as a project from a new home below *folder*, until the block ends."""
    home, port = make_home(folder, environments), free_port()
    settings = {"BASE_URL": f"http://127.0.0.1:{port}", "ALLOW_FILE_REPOSITORIES": "1"}
    environ = environ_of(home, WORKERS="2", **settings)
    bare = bare_clone(repository, folder / "project.git")
    added = run([PROVENOTE, "projects", "add", PROJECT, bare, "--json"], folder, environ)
    log = folder / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [PROVENOTE, "serve", "--port", str(port)],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            # However the bench ends, what it serves ends with it.
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
    service = Service(home, port, bare, json.loads(added.stdout)["secret"], process, log)
    try:
        _wait_until_ready(service)
        yield service
    finally:
        for client in service.clients:
            client.close()
        stop(process)


def _wait_until_ready(service: Service) -> None:
    deadline = time.monotonic() + _START_SECONDS
    client = service.client()
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            break
        with suppress(OSError, http.client.HTTPException):
            if client.send("GET", "/readyz").status == 200:
                return
        time.sleep(0.05)
    raise SystemExit(f"provenote serve did not start:\n{service.log.read_text()}")
