"""One attempt at a run: its claim kept alive, its progress told, its end watched for."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from pipeline.asked import Asked, read_asked
from pipeline.heartbeat import Heartbeat
from pipeline.installation import Installation
from pipeline.isolation import PROCESSES
from pipeline.kernels.failures import NoHostError
from pipeline.kernels.hosts import KernelHosts
from pipeline.kernels.wanted import HostWanted
from pipeline.processes import end_tree, marked_processes
from pipeline.runner.client import Event, Runner, RunnerStoppedError
from pipeline.runner.messages import Job, NotebookJob, ReportJob
from pipeline.telling import Telling
from pipeline.untrusted import UntrustedFileError, read_regular
from pipeline.workplace import Workplace
from provenance.ledger.claims import Claim
from provenance.ledger.states import Verdict
from provenance.ledger.times import Took

MAX_LOG_BYTES = 20 * 1024 * 1024
_log = structlog.get_logger()


@dataclass(frozen=True)
class Worker:
    """Who does the work: an installation, a runner, and how long a silence may last."""

    installation: Installation
    runner: Runner
    lease: float
    let_go: threading.Event
    """Set when the worker has to end now: its run then goes back to the queue."""
    listener: Callable[[Event], None] | None = None
    """Hears what happens as it happens; for a command line that shows progress."""
    hosts: KernelHosts | None = None
    """Where kernels are forked; None: each is started afresh."""
    called_off: threading.Event | None = None
    """Set when the one who started this run wants its end; it then ends as cancelled."""
    proof_runs: int = 0
    """One in how many reports of warm kernels is proved by a cold one; 0: none is."""


class Attempt:
    """What the story of a run needs to know of the one who tells it."""

    def __init__(self, claim: Claim, worker: Worker, watch: Heartbeat, asked: Asked) -> None:
        self.installation = worker.installation
        self.claim = claim
        self.asked = asked
        self.runner = worker.runner
        self.proof_runs = worker.proof_runs
        self._worker = worker
        self._watch = watch
        self._started = time.monotonic()
        self.granted = self.installation.limits.run_seconds
        """How long all of it may take, in seconds."""
        self.deadline = self._started + self.granted
        self._telling = Telling(self.installation.ledger, claim, worker.listener)
        self._places: dict[str, Workplace] = {}
        self._is_expecting = False
        self.said: list[str] = []
        """What we, and not the project's code, had to say: the run's log begins with it."""
        self.build_log = b""
        """What was said while the environment was built for this attempt."""

    @property
    def root(self) -> Path:
        """The private directory of this attempt."""
        return attempt_root(self.installation, self.claim)

    @property
    def marker(self) -> str:
        """What everything that this attempt starts is marked with."""
        return f"{self.installation.home}:{self.claim.id}:{self.claim.attempt}"

    def workplace(self, name: str) -> Workplace:
        """Make a private directory for the job *name*."""
        place = Workplace(self.root / f"{len(self._places):02}-{name}", self.marker)
        place.make()
        self._places[name] = place
        return place

    def end(self) -> None:
        """End what is left of this attempt: files, and processes that outlived their runner."""
        if self._places:
            for pid, marker in marked_processes(self.marker).items():
                if marker == self.marker:
                    end_tree(pid)
        Workplace(self.root, self.marker).remove()

    def printed(self, name: str) -> bytes:
        """Return what the job *name* printed."""
        place = self._places.get(name)
        try:
            return read_regular(place.log, MAX_LOG_BYTES) if place else b""
        except (FileNotFoundError, UntrustedFileError):
            return b""

    @property
    def seconds(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self._started

    def told(self, began: datetime) -> dict[str, Any]:
        """Return what a record says of the run that made something since *began*."""
        return {
            "id": self.claim.id,
            "attempt": self.claim.attempt,
            "started_at": began.isoformat(),
            "finished_at": datetime.now(UTC).isoformat(),
            "host": socket.gethostname(),
            "containment": self.installation.isolation.level,
        }

    def perform(self, job: Job, seconds: float | None = None) -> dict[str, Any]:
        """Let the runner do *job*, for at most *seconds*.

        Raises RunnerStoppedError when that time is over, or when this attempt has to end.
        """
        until = self.deadline if seconds is None else time.monotonic() + seconds

        def stop_reason() -> str | None:
            return Verdict.TIMED_OUT if time.monotonic() > until else self._stop_reason()

        try:
            self._telling.begin(of_report=isinstance(job, ReportJob))
            return self.runner.call(self._with_door(job), self._telling.hear, stop_reason)
        finally:
            self.show()

    def repeat(self, job: Job) -> dict[str, Any]:
        """Let the runner do *job* once this run is published, as long as a run may take.

        Nobody hears of it, and no claim is held for it. Raises RunnerStoppedError when that
        time is over, or when the worker has to end.
        """
        until = time.monotonic() + self.granted

        def stop_reason() -> str | None:
            if self._worker.let_go.is_set() or self._is_called_off:
                return Verdict.WORKER_LOST
            return Verdict.TIMED_OUT if time.monotonic() > until else None

        return self.runner.call(self._with_door(job), _unheard, stop_reason)

    def expect(self, wanted: Callable[[], HostWanted | None]) -> None:
        """Let the runner get ready, and a kernel for the report, while something else is done."""
        self.runner.start()
        if not self._is_expecting:
            self._is_expecting = True
            if door := self._door(wanted()):
                self.runner.prepare(door)

    def _with_door(self, job: Job) -> Job:
        """Return the job with the socket of the host that it wants its kernel from."""
        if isinstance(job, NotebookJob):
            return replace(job, report=self._at_door(job.report))
        return self._at_door(job) if isinstance(job, ReportJob) else job

    def _at_door(self, job: ReportJob) -> ReportJob:
        return replace(job, host=None, door=self._door(job.host))

    def _door(self, wanted: HostWanted | None) -> str | None:
        if wanted is None or self._worker.hosts is None:
            return None
        if not self.installation.kernel_trust.has(wanted):
            return None
        apart = self.installation.isolation
        wanted = replace(wanted, isolated=apart.level != PROCESSES, network=apart.network)
        try:
            return str(self._worker.hosts.door(wanted))
        except NoHostError as error:
            _log.warning("no kernel host", error=error.message)
            return None

    def show(self, *, at_once: bool = False) -> None:
        """Write down what is told, if that is due; *at_once* before what may take long."""
        if at_once or self._telling.is_due:
            self._telling.flush()

    def note_rest(self, session: Session) -> None:
        """Note on the run's row what was not written down yet, with what ends the attempt."""
        self._telling.note_rest(session)

    def check(self) -> None:
        """Raise RunnerStoppedError if this attempt has to end; for waits without the runner."""
        reason = self._stop_reason()
        if reason is not None:
            raise RunnerStoppedError(reason)

    def limit(self, seconds: float | None) -> None:
        """Set the time that is left to what the manifest grants, within the operator's bound."""
        if seconds is not None:
            self.granted = min(self.granted, seconds)
            self.deadline = min(self.deadline, time.monotonic() + seconds)

    def tell(self, doing: str, event: Event | None = None, **noted: Any) -> None:
        """Say what is being done now, and with *event* what was just done.

        What is *noted* goes into the columns of the run's row.
        """
        if event is not None and event.get("said"):
            self.said.append(str(event["text"]))
        self._telling.tell(doing, event, **noted)

    def hear(self, text: str) -> None:
        """Take lines that were printed on behalf of this attempt outside of any job."""
        self._telling.hear({"event": "log", "text": text, "cell": None})

    def took(self) -> Took:
        """Return how the time of this attempt was spent until now."""
        return self._telling.took()

    @property
    def _is_called_off(self) -> bool:
        called_off = self._worker.called_off
        return called_off is not None and called_off.is_set()

    def _stop_reason(self) -> str | None:
        if self._watch.lost.is_set() or self._worker.let_go.is_set():
            return Verdict.WORKER_LOST
        if self._watch.cancelled.is_set() or self._is_called_off:
            return Verdict.CANCELLED
        if time.monotonic() > self.deadline:
            return Verdict.TIMED_OUT
        if self._telling.is_due:
            self._telling.flush()
        return None


def _unheard(_event: Event) -> None:
    """Let an event go by."""


def attempt_root(installation: Installation, claim: Claim) -> Path:
    """Return the directory in which an attempt keeps its workplaces."""
    return installation.work / f"{claim.id}-{claim.attempt}"


@contextmanager
def keeping(claim: Claim, worker: Worker) -> Iterator[Heartbeat]:
    """Keep *claim* alive until the block ends."""
    watch = Heartbeat(worker.installation.ledger, claim, worker.lease)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


@contextmanager
def attempting(claim: Claim, worker: Worker) -> Iterator[Attempt]:
    """Give an attempt whose claim is kept alive until the block ends."""
    with keeping(claim, worker) as watch:
        with worker.installation.ledger.reading() as session:
            asked = read_asked(session, claim.id)
        attempt = Attempt(claim, worker, watch, asked)
        attempt.root.mkdir(parents=True, mode=0o700, exist_ok=True)
        try:
            yield attempt
        finally:
            attempt.end()
