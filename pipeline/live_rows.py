"""The live messages of an attempt as rows of the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.runner.client import Event
from provenance.ledger.claims import Claim
from provenance.ledger.tables import RunEvent
from provenance.text import storable

MAX_EVENTS = 2_000
MAX_LOG_ROWS = 400
MAX_PRINTED = 20_000
_OF_ONE_ATTEMPT = 10_000_000
_PRINTING = "printing"


class LiveRows:
    """Writes what is heard as rows: a bounded number of them, however long it goes on."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._seq = 0
        self._told: dict[str, int] = {}
        self._logs: list[int] = []
        self._printed = self._written = _Printed()

    def write(self, session: Session, events: list[Event]) -> None:
        """Write *events*; `written` has to be called once they surely are."""
        printed = self._written
        for event in joined(events):
            printed = printed.after(event)
            if event.get("cell") is None:
                session.add_all(self._rows(event))
        if printed != self._written:
            self._drop(session, RunEvent.kind == _PRINTING)
            if printed.text:
                session.add(self._row(_PRINTING, {"cell": printed.cell, "text": printed.text}))
        self._printed = printed
        if len(self._logs) > MAX_LOG_ROWS:
            # A page shows the end of the log; the whole of it is kept when the run ends.
            self._logs = self._logs[MAX_LOG_ROWS // 2 :]
            self._drop(session, RunEvent.kind == "log", RunEvent.seq < self._logs[0])

    def written(self) -> None:
        """Take what was given to `write` the last time for written."""
        self._written = self._printed

    def _drop(self, session: Session, *which: Any) -> None:
        session.execute(delete(RunEvent).where(RunEvent.run_id == self._claim.id, *which))

    def _rows(self, event: Event) -> Iterator[RunEvent]:
        kind = event["event"]
        self._told[kind] = self._told.get(kind, 0) + 1
        payload = {name: value for name, value in event.items() if name not in ("event", "cell")}
        if kind == "log":
            row = self._row(kind, payload)
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
class _Printed:
    """The end of what the cell at work has printed so far."""

    cell: int | None = None
    text: str = ""

    def after(self, event: Event) -> "_Printed":
        """Return what it is after *event*; a cell that has ended shows by itself what it gave."""
        if event["event"] == "cell":
            return _Printed()
        cell = event.get("cell")
        if event["event"] != "log" or cell is None:
            return self
        before = self.text if cell == self.cell else ""
        return _Printed(cell, (before + event["text"])[-MAX_PRINTED:])


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
