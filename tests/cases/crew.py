"""Workers as processes of their own, each with one run; they can be stopped at a moment.

``python -m tests.cases.crew PLAN`` starts one worker for each run that the plan names, forked
rather than started, as importing takes longer than all the work. Before a worker does what a
file in the plan's folder is named for, it takes that file away, leaves its process number in
its place, and waits for a file ``go``; nobody else stops there.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.attempt import Worker
from pipeline.evaluate import evaluate_run
from pipeline.installation import Installation, SourceUrls
from pipeline.processes import end_with_parent
from pipeline.runner.client import Runner
from provenance.ledger.claims import claim
from provenance.ledger.engine import Ledger
from provenance.ledger.tables import Run
from provenance.store import Store
from provenance.stores import local
from tests.support.waiting import wait_for

BEFORE, DURING, AFTER = "before", "during", "after"
ROOT = Path(__file__).resolve().parents[2]
LONG = 90.0


@dataclass(frozen=True)
class Plan:
    """What a crew is told."""

    home: str
    runs: Sequence[str]
    moments: str
    """The folder of moments."""
    lease_seconds: float


class Crew:
    """A crew at work, as a test sees it."""

    def __init__(self, installation: Installation, runs: Sequence[str], lease: float = 60) -> None:
        self._moments = installation.home / "moments"
        self._moments.mkdir()
        plan = Plan(str(installation.home), runs, str(self._moments), lease)
        self._path = installation.home / "plan.json"
        self._path.write_text(json.dumps(asdict(plan)))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *moments: str) -> None:
        """Let all begin; one will stop at each of the *moments*."""
        for moment in moments:
            (self._moments / moment).touch()
        command = [sys.executable, "-m", "tests.cases.crew", str(self._path)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)

    def stopped(self, moment: str) -> int:
        """Return the process that has stopped at *moment*."""
        path = self._moments / f"{moment}.pid"
        return int(wait_for(lambda: path.exists() and path.read_text(), moment, LONG))

    def go(self) -> None:
        """Let those go on that have stopped."""
        (self._moments / "go").touch()

    def end(self) -> list[int]:
        """Wait for all, and return how each ended: 0, or below it the signal that killed it."""
        assert self._process is not None
        assert self._process.wait(LONG) == 0
        ends: list[int] = json.loads(self._path.with_name("ends.json").read_text())
        return ends

    def kill(self) -> None:
        """End what a failed test has left."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def stop_at(moments: Path, moment: str) -> None:
    """Stop here, if nobody has before."""
    try:
        (moments / moment).unlink()
    except FileNotFoundError:
        return
    told = moments / f".{moment}"
    told.write_text(str(os.getpid()))
    told.rename(moments / f"{moment}.pid")
    while not (moments / "go").exists():
        time.sleep(0.01)


def make_stoppable(moments: Path) -> None:
    """Put the moments around the two renames by which a result comes into the store."""
    shelf: Any = local.LocalShelf
    adopt, write, sync = shelf.adopt, shelf.write, local.sync_directory

    def adopting(self: local.LocalShelf, name: str, staged: Path) -> None:
        stop_at(moments, BEFORE)
        adopt(self, name, staged)

    def syncing(directory: Path) -> None:
        stop_at(moments, DURING)  # the name is there; a loss of power could still take it away
        sync(directory)

    def writing(self: local.LocalShelf, name: str, data: bytes, *, replace: bool) -> None:
        write(self, name, data, replace=replace)
        if name.startswith("actions/"):
            stop_at(moments, AFTER)

    shelf.adopt, shelf.write = adopting, writing
    local.sync_directory = syncing


def work(plan: Plan, run_id: str) -> None:
    """Carry out one run, as a worker does."""
    home = Path(plan.home)
    make_stoppable(Path(plan.moments))
    installation = Installation(
        home=home,
        ledger=Ledger(f"sqlite:///{home / 'ledger.sqlite'}"),
        store=Store(home / "store"),
        base_url="http://localhost:8000",
        source_urls=SourceUrls({}),
        allow_file_repositories=True,
        lease_seconds=plan.lease_seconds,
    )
    with installation.ledger.writing() as session:
        claimed = claim(session, Run, run_id, f"crew/{os.getpid()}", 60.0)
    assert claimed is not None
    runner = Runner()
    try:
        evaluate_run(claimed, Worker(installation, runner, 60.0, threading.Event()))
    finally:
        runner.stop()


def forked(body: Callable[[], None]) -> int:
    """Do *body* in a process of its own, and return its number."""
    child = os.fork()
    if child:
        return child
    try:
        end_with_parent(signal.SIGKILL)
        body()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Start the crew that the plan names, and leave a word on how each ended."""
    path = Path(sys.argv[1])
    plan = Plan(**json.loads(path.read_text()))
    children = [forked(lambda one=run: work(plan, one)) for run in plan.runs]  # type: ignore[misc]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    path.with_name("ends.json").write_text(json.dumps(statuses))


if __name__ == "__main__":
    main()
