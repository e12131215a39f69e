"""One attempt at a run: its claim kept alive, its progress told, its end watched for."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from pipeline.asked import Asked, read_asked
from pipeline.heartbeat import Heartbeat
from pipeline.installation import Installation
from pipeline.processes import end_tree, marked_processes
from pipeline.runner.client import Event, Runner, RunnerStoppedError
from pipeline.runner.messages import Job
from pipeline.untrusted import UntrustedFileError, read_regular
from pipeline.workplace import Workplace
from provenance.ledger.claims import Claim, note
from provenance.ledger.states import Verdict
from provenance.ledger.tables import RunEvent
from provenance.text import storable

_FLUSH_SECONDS = 0.2
_MAX_EVENTS = 2_000
_MAX_PRINTED = 20_000
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


class Attempt:
    """What the story of a run needs to know of the one who tells it."""

    def __init__(self, claim: Claim, worker: Worker, watch: Heartbeat, asked: Asked) -> None:
        self.installation = worker.installation
        self.claim = claim
        self.asked = asked
        self.runner = worker.runner
        self._worker = worker
        self._watch = watch
        self._started = time.monotonic()
        self.deadline = self._started + self.installation.limits.run_seconds
        self._events: list[dict[str, Any]] = []
        self._seq = 0
        self._told: dict[str, int] = {}
        self._progress: dict[str, Any] = {}
        self._flushed = 0.0
        self._places: dict[str, Workplace] = {}
        self.said: list[str] = []
        """What we, and not the project's code, had to say: the run's log begins with it."""

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
            return self.runner.call(job, self._hear, stop_reason)
        finally:
            self.flush()

    def check(self) -> None:
        """Raise RunnerStoppedError if this attempt has to end; for waits without the runner."""
        reason = self._stop_reason()
        if reason is not None:
            raise RunnerStoppedError(reason)

    def limit(self, seconds: float | None) -> None:
        """Set the time that is left to what the manifest grants, within the operator's bound."""
        if seconds is not None:
            self.deadline = min(self.deadline, time.monotonic() + seconds)

    def tell(self, doing: str, event: dict[str, Any] | None = None) -> None:
        """Say what is being done now, and with *event* what was just done."""
        self._progress["doing"] = doing
        if event is not None:
            self._events.append(event)
            if event.get("said"):
                self.said.append(str(event["text"]))
        self._say({"event": "doing", "doing": doing} if event is None else event)
        self.flush()

    def _say(self, event: Event) -> None:
        if self._worker.listener is not None:
            self._worker.listener(event)

    def _hear(self, event: Event) -> None:
        self._say(event)
        if event["event"] == "doing":
            self._progress["doing"] = f"cell {event['index'] + 1}"
            self._progress["cells_total"] = event["total"]
            return
        if event["event"] == "cell":
            self._progress |= {"cells_done": event["index"] + 1, "cells_total": event["total"]}
        self._events.append(event)

    def _stop_reason(self) -> str | None:
        if self._watch.lost.is_set() or self._worker.let_go.is_set():
            return Verdict.WORKER_LOST
        if self._watch.cancelled.is_set():
            return Verdict.CANCELLED
        if time.monotonic() > self.deadline:
            return Verdict.TIMED_OUT
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()
        return None

    def flush(self) -> None:
        """Write what happened since the last time into the ledger, under the fence.

        A ledger that does not answer gets it the next time; whether the claim can be held
        meanwhile is the heartbeat's concern. Raises ClaimLostError where it is lost.
        """
        self._flushed = time.monotonic()
        if not self._progress and not self._events:
            return
        try:
            with self.installation.ledger.writing() as session:
                note(session, self.claim, **self._progress)
                session.add_all(self._rows())
        except SQLAlchemyError as error:
            _log.warning("progress not written", run=self.claim.id, error=str(error))
            return
        self._events, self._progress = [], {}

    def _rows(self) -> Iterator[RunEvent]:
        """Yield what happened as rows; what was printed in one go is one of them."""
        for event in joined(self._events):
            kind = event["event"]
            self._told[kind] = self._told.get(kind, 0) + 1
            if self._told[kind] > _MAX_EVENTS:
                continue
            self._seq += 1
            payload = {name: value for name, value in event.items() if name != "event"}
            yield RunEvent(
                run_id=self.claim.id,
                seq=self.claim.attempt * 100_000 + self._seq,
                kind=kind,
                payload=storable(payload),
            )


def joined(events: list[Event]) -> Iterator[Event]:
    """Yield *events*, with neighbours that were only printed put together."""
    printed = ""
    for event in events:
        if event["event"] == "log":
            printed += event["text"]
            continue
        if printed:
            yield {"event": "log", "text": printed[-_MAX_PRINTED:]}
            printed = ""
        yield event
    if printed:
        yield {"event": "log", "text": printed[-_MAX_PRINTED:]}


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
