"""Our commands as processes, each with a home of its own that leaves no trace on the machine."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from pipeline.workplace import MARKER
from provenance.ledger.engine import Ledger
from provenance.ledger.tables import Evaluation, Run
from tests.support.forking import ForkingServer
from tests.support.ledgers import sqlite_ledger
from tests.support.waiting import wait_for

PROVENOTE = Path(sys.executable).with_name("provenote")
LONG = 90.0
"""Seconds after which something that should have happened counts as not happening."""


@dataclass(frozen=True)
class Ended:
    """A command that has come to its end."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    """A PROVENOTE_HOME, and the commands that are run with it."""

    path: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def environ(self, **settings: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path.parent),
            "LANG": "C.UTF-8",
            "PROVENOTE_HOME": str(self.path),
            "PROVENOTE_PROOF_RUNS": "0",  # it would only take time; tests of it ask for it
            **{f"PROVENOTE_{name}": value for name, value in (self.settings | settings).items()},
        }

    def run(self, *arguments: str, cwd: Path | None = None, **settings: str) -> Ended:
        """Run ``provenote ARGUMENTS`` to its end."""
        done = _server().run(arguments, cwd or self.path.parent, self.environ(**settings), LONG * 2)
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(
        self, *arguments: str, log: Path, cwd: Path | None = None, **settings: str
    ) -> "subprocess.Popen[bytes]":
        """Start ``provenote ARGUMENTS``; what it prints goes into the file *log*."""
        with log.open("ab") as file:
            return subprocess.Popen(
                [PROVENOTE, *arguments],
                cwd=cwd or self.path.parent,
                env=self.environ(**settings),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def processes(self) -> dict[int, str]:
        """Return every process that works for this home, users' code included."""
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                environment = process.environ()
                marker = environment.get(MARKER, "")
                ours = environment.get("PROVENOTE_HOME") == str(self.path)
                if ours or marker.startswith(f"{self.path}:"):
                    found[process.pid] = " ".join(process.cmdline())
        return found

    def kill(self) -> None:
        """Kill every process that works for this home, at once and without a word."""

        def none_left() -> bool:
            living = self.processes()
            for pid in living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not living

        wait_for(none_left, "all processes to be killed", LONG)

    def is_quiet(self) -> bool:
        """Tell whether no process is left."""
        return not self.processes()

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        ledger = Ledger(f"sqlite:///{self.path / 'ledger.sqlite'}")
        try:
            yield ledger
        finally:
            ledger.close()

    def row(self, run_id: str) -> Run:
        """Return the run's row as it is now, with its jobs."""
        with self.ledger() as ledger, ledger.reading() as session:
            row = session.get_one(Run, run_id)
            for name in ("jobs", "checks", "metrics", "evaluation"):
                getattr(row, name)
            return row

    def evaluation(self, evaluation_id: str) -> Evaluation:
        """Return the evaluation's row as it is now, with its runs."""
        with self.ledger() as ledger, ledger.reading() as session:
            row = session.get_one(Evaluation, evaluation_id)
            len(row.runs)
            return row


@cache
def _server() -> ForkingServer:
    return ForkingServer(PROVENOTE)


def make_home(folder: Path, environments: Path, **settings: str) -> Home:
    """Make a home below *folder* that shares the environments of all tests, with a ledger.

    Each first command would otherwise take a while to make the ledger's tables.
    """
    home = Home(folder / "home", settings)
    home.path.mkdir(parents=True)
    (home.path / "environments").symlink_to(environments)
    sqlite_ledger(home.path / "ledger.sqlite").close()
    return home


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ended(process: "subprocess.Popen[bytes]", seconds: float = LONG) -> int:
    """Wait for *process* to end and return its exit status."""
    return process.wait(seconds)
