"""What is told of an attempt while it goes on: into the ledger, where pages see it, and here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from pipeline.live_rows import LiveRows
from pipeline.runner.client import Event
from provenance.ledger.claims import Claim, note
from provenance.ledger.engine import Ledger
from provenance.ledger.times import Took

FLUSH_SECONDS = 0.2
"""What is printed reaches the ledger after this time."""
URGENT_SECONDS = 0.1
"""What somebody waits for, a cell that began or ended, reaches it after this one."""
_log = structlog.get_logger()


class Telling:
    """Hears what an attempt does, and writes it down in steps that a page can follow."""

    def __init__(
        self, ledger: Ledger, claim: Claim, listener: Callable[[Event], None] | None
    ) -> None:
        self._ledger = ledger
        self._claim = claim
        self._listener = listener
        self._started = time.monotonic()
        self._of_report = True
        self._doing = ""
        self._progress: dict[str, Any] = {}
        self._events: list[Event] = []
        self._urgent = False
        self._flushed = self._started
        self._rows = LiveRows(claim)
        self._times = _Times(self._started)

    def begin(self, *, of_report: bool) -> None:
        """Say whose cells will be heard of now: the report's own, or those of a stage."""
        self._of_report = of_report

    def tell(self, doing: str, event: Event | None = None, **noted: Any) -> None:
        """Say what is being done now, and with *event* what was just done.

        What is *noted* goes into the columns of the run's row. A run that is over in a moment
        writes nothing of it: each writing waits for the disk.
        """
        self._doing = doing
        self._progress |= {"doing": doing, **noted}
        if event is not None:
            self._events.append(event)
        self._say({"event": "doing", "doing": doing} if event is None else event)
        if self.is_due:
            self.flush()

    def hear(self, event: Event) -> None:
        """Take in one event of the runner."""
        if not self._of_report and event["event"] in ("doing", "cell"):
            self._hear_of_stage(event)
            return
        self._say(event)
        if event["event"] == "log":
            self._events.append(event if self._of_report else {**event, "cell": None})
            return
        self._urgent = True
        self._times.hear(event)
        at = {"cells_total": event["total"], "cell_at": datetime.now(UTC)}
        if event["event"] == "doing":
            self._progress |= {"doing": f"cell {event['index'] + 1}"} | at
        else:
            self._progress |= {"cells_done": event["index"] + 1} | at
        self._events.append(event)

    def _hear_of_stage(self, event: Event) -> None:
        """Say at which of its cells a stage is; they are not those that the run counts."""
        if event["event"] == "doing":
            told = f"{self._doing}, cell {event['index'] + 1} of {event['total']}"
            self._progress["doing"] = told
            self._say({"event": "doing", "doing": told})

    def _say(self, event: Event) -> None:
        if self._listener is not None:
            self._listener(event)

    def took(self) -> Took:
        """Return how the time until now was spent."""
        return self._times.until(time.monotonic())

    @property
    def is_due(self) -> bool:
        """Whether something waits that was to be written by now."""
        pause = URGENT_SECONDS if self._urgent else FLUSH_SECONDS
        return time.monotonic() - self._flushed > pause

    def flush(self) -> None:
        """Write what happened since the last time into the ledger, under the fence.

        A ledger that does not answer gets it the next time; whether the claim can be held
        meanwhile is the heartbeat's concern. Raises ClaimLostError where it is lost.
        """
        self._flushed = time.monotonic()
        if not self._progress and not self._events:
            return
        try:
            with self._ledger.writing() as session:
                note(session, self._claim, **self._progress)
                self._rows.write(session, self._events)
        except SQLAlchemyError as error:
            _log.warning("progress not written", run=self._claim.id, error=str(error))
            return
        self._rows.written()
        self._events, self._progress, self._urgent = [], {}, False

    def note_rest(self, session: Session) -> None:
        """Note what was not written yet; what only a live page shows is let go."""
        if self._progress:
            note(session, self._claim, **self._progress)
            self._progress = {}


class _Times:
    """When the cells of the report began and ended."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._began: float | None = None
        self._ended: float | None = None
        self._cells: dict[int, float] = {}
        self._total = 0

    def hear(self, event: Event) -> None:
        if self._began is None:
            self._began = time.monotonic()
        if event["event"] == "cell":
            self._cells[event["index"]] = event["seconds"]
            self._total = event["total"]
            self._ended = time.monotonic()

    def until(self, now: float) -> Took:
        began = now if self._began is None else self._began
        ended = now if self._ended is None else self._ended
        return Took(began - self._started, dict(self._cells), now - ended, self._total)
