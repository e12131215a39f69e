"""``provenote serve`` as people run it, and what they send to it."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.processes import LONG, Home, ended, free_port, make_home
from tests.support.repository import Repository
from tests.support.tides import Gate, make_tides
from tests.support.waiting import wait_for

ENDED = ("finished", "dead")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass
class Server:
    """A served installation with one project, ``tides``, whose pushes reach it."""

    home: Home
    port: int
    bare: Path
    clone: Repository
    process: "subprocess.Popen[bytes] | None" = None
    secret: str = ""
    gates: int = 0
    _opener: Any = field(default_factory=lambda: urllib.request.build_opener(_NoRedirect))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.path.parent / "serve.log"

    def start(self) -> float:
        """Start, wait until pages are served, and return how many seconds that took."""
        began = time.monotonic()
        self.process = self.home.start("serve", "--port", str(self.port), log=self.log)
        wait_for(self._serves, "the server to serve", LONG)
        return time.monotonic() - began

    def _serves(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.send("GET", "/healthz").status == 200
        except OSError:
            return False

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return ended(self.process)

    def kill(self) -> None:
        """Kill every process of the installation."""
        self.home.kill()
        if self.process is not None:
            ended(self.process)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        request = urllib.request.Request(
            self.url + path, data=body, headers=dict(headers or {}), method=method
        )
        try:
            with self._opener.open(request, timeout=LONG) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def api(self, method: str, path: str, body: object | None = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self.send(method, f"/api/v1{path}", data, headers)

    def ask(self, report: str, **params: object) -> str:
        """Ask for a run of *report* and return its id."""
        body = {"params": params}
        answer = self.api("POST", f"/projects/tides/reports/{report}/runs", body)
        assert answer.status == 202, answer.text
        found: str = answer.json["id"]
        return found

    def ask_gated(self) -> tuple[str, Gate]:
        """Ask for a run that waits in the middle of a cell until its gate is opened."""
        gate = self.gate()
        return self.ask("gated", gate=str(gate.path)), gate

    def gate(self) -> Gate:
        self.gates += 1
        return Gate(self.home.path.parent / f"gate{self.gates}")

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"/runs/{run_id}").json
        return found

    def finished(self, run_id: str) -> dict[str, Any]:
        """Wait until the run has ended, and return its object."""

        def look() -> dict[str, Any] | None:
            found = self.run(run_id)
            return found if found["status"] in ENDED else None

        found = wait_for(look, f"run {run_id} to end", LONG)
        assert found is not None
        return found

    def evaluated(self, evaluation_id: str) -> dict[str, Any]:
        """Wait until the evaluation has ended, and return its object."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.api("GET", f"/evaluations/{evaluation_id}").json
            return found if found["status"] in ENDED else None

        found = wait_for(look, f"evaluation {evaluation_id} to end", LONG)
        assert found is not None
        return found


def make_server(folder: Path, environments: Path) -> Server:
    """Lay out a home, a bare repository with its hook, and a clone; nothing is started yet."""
    port = free_port()
    home = make_home(
        folder,
        environments,
        BASE_URL=f"http://127.0.0.1:{port}",
        ALLOW_FILE_REPOSITORIES="1",
        WORKERS="2",
    )
    clone = make_tides(folder / "clone")
    bare = folder / "tides.git"
    clone.git("clone", "--quiet", "--bare", str(clone.path), str(bare))
    clone.git("remote", "add", "origin", str(bare))
    added = home.run("projects", "add", "tides", str(bare), "--json")
    assert added.status == 0, added.err
    hook = bare / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(added.json["post_receive"])
    hook.chmod(0o700)
    return Server(home, port, bare, clone, secret=added.json["secret"])
