"""The live messages of an attempt as rows of the ledger."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.runner.client import Event
from provenance.ledger.claims import Claim
from provenance.ledger.tables import RunEvent
from provenance.text import storable

MAX_EVENTS = 2_000
MAX_LOG_ROWS = 400
MAX_LOG_TEXT = 4_000
"""Characters of one row of the log: more than anybody reads in the moment that it stands for."""
MAX_PRINTED = 20_000
_OF_ONE_ATTEMPT = 10_000_000
_AT_WORK = "at_work"


class LiveRows:
    """Writes what is heard as rows: a bounded number of them, however long it goes on."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._seq = 0
        self._told: dict[str, int] = {}
        self._logs: list[int] = []
        self._at_work = self._written = _AtWork()

    def write(self, session: Session, events: list[Event]) -> None:
        """Write *events*; `written` has to be called once they surely are."""
        now = self._written
        for event in joined(events):
            now = now.after(event)
            if event["event"] != "doing" and event.get("cell") is None:
                session.add_all(self._rows(event))
        if now != self._written:
            self._drop(session, RunEvent.kind == _AT_WORK)
            if now.cell is not None:
                session.add(self._row(_AT_WORK, asdict(now)))
        self._at_work = now
        if len(self._logs) > MAX_LOG_ROWS:
            # A page shows the end of the log; the whole of it is kept when the run ends.
            self._logs = self._logs[MAX_LOG_ROWS // 2 :]
            self._drop(session, RunEvent.kind == "log", RunEvent.seq < self._logs[0])

    def written(self) -> None:
        """Take what was given to `write` the last time for written."""
        self._written = self._at_work

    def _drop(self, session: Session, *which: Any) -> None:
        session.execute(delete(RunEvent).where(RunEvent.run_id == self._claim.id, *which))

    def _rows(self, event: Event) -> Iterator[RunEvent]:
        kind = event["event"]
        self._told[kind] = self._told.get(kind, 0) + 1
        payload = {name: value for name, value in event.items() if name not in ("event", "cell")}
        if kind == "log":
            row = self._row(kind, payload | {"text": event["text"][-MAX_LOG_TEXT:]})
            self._logs.append(row.seq)
            yield row
        elif self._told[kind] <= MAX_EVENTS:
            # A figure of its own, so that whoever reads the cells need not read all pictures.
            if image := payload.pop("image", None):
                figure = self._row("figure", {"image": image})
                payload["figure"] = figure.seq
                yield figure
            yield self._row(kind, payload)

    def _row(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        self._seq += 1
        seq = self._claim.attempt * _OF_ONE_ATTEMPT + self._seq
        return RunEvent(run_id=self._claim.id, seq=seq, kind=kind, payload=storable(payload))


@dataclass(frozen=True)
class _AtWork:
    """The cell at work, and the end of what it has printed so far."""

    cell: int | None = None
    title: str = ""
    text: str = ""

    def after(self, event: Event) -> "_AtWork":
        """Return what it is after *event*; a cell that has ended shows by itself what it gave."""
        match event["event"]:
            case "doing":
                return _AtWork(event["index"], event.get("title", ""))
            case "cell":
                return _AtWork()
            case "log" if self.cell is not None and event.get("cell") == self.cell:
                return replace(self, text=(self.text + event["text"])[-MAX_PRINTED:])
        return self


def joined(events: list[Event]) -> Iterator[Event]:
    """Yield *events*, with neighbours that the same cell, or none, has printed put together."""
    printed: Event | None = None
    for event in events:
        cell = event.get("cell")
        if printed is not None and event["event"] == "log" and printed["cell"] == cell:
            printed["text"] = (printed["text"] + event["text"])[-MAX_PRINTED:]
            continue
        if printed is not None:
            yield printed
            printed = None
        if event["event"] == "log":
            printed = {"event": "log", "cell": cell, "text": event["text"][-MAX_PRINTED:]}
        else:
            yield event
    if printed is not None:
        yield printed
