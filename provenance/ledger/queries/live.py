"""What a run that is under way has said so far."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.columns import LARGEST_INTEGER
from provenance.ledger.queries.progress import queue_position
from provenance.ledger.states import Status
from provenance.ledger.tables import Run, RunEvent

MOST_LOG_LINES = 200
LONGEST_LOG = 20_000
_PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class LiveStage:
    """A stage as it was last heard of."""

    name: str
    status: str
    sentence: str
    seconds: float | None


@dataclass(frozen=True)
class LiveCell:
    """A finished cell."""

    seq: int
    index: int
    total: int
    title: str
    source: str
    seconds: float | None
    text: str
    figure: int | None
    """The message that holds what it drew."""
    error: str


@dataclass(frozen=True)
class AtWork:
    """The cell at work, and the end of what it has printed."""

    index: int
    title: str
    text: str


@dataclass(frozen=True)
class Live:
    """The messages of a run, put together."""

    stages: tuple[LiveStage, ...]
    cells: tuple[LiveCell, ...]
    """Those that ended after the message from which on was asked."""
    at_work: AtWork | None
    log: tuple[str, ...]


_LONGEST = 36
"""More digits than any attempt and message have."""


@dataclass(frozen=True)
class Seen:
    """What a page shows already: the state of the run, and the last message that it has."""

    status: str
    attempt: int
    seq: int
    rest: str

    @classmethod
    def read(cls, text: str) -> "Seen | None":
        """Return what the token *text* says; None where it is none of ours."""
        status, _, numbers = text.partition(".")
        attempt, _, numbers = numbers.partition(".")
        seq, _, rest = numbers.partition(".")
        if not (attempt.isdecimal() and seq.isdecimal()) or len(attempt) + len(seq) > _LONGEST:
            return None
        return cls(status, int(attempt), min(int(seq), LARGEST_INTEGER), rest)

    def __str__(self) -> str:
        return f"{self.status}.{self.attempt}.{self.seq}.{self.rest}"

    def goes_on_in(self, later: "Seen") -> bool:
        """Tell whether *later* only adds to this: the same attempt, or the first after a wait."""
        if self.status == Status.QUEUED and later.status == Status.RUNNING:
            return True
        return (self.status, self.attempt) == (later.status, later.attempt)


def seen_of(session: Session, run: Run) -> Seen:
    """Return what a page has seen that shows *run* as it is now."""
    last = session.scalar(select(func.max(RunEvent.seq)).where(RunEvent.run_id == run.id))
    place = queue_position(session, run)
    rest = f"{run.cells_done}.{run.cells_total}.{run.doing}.{place}.{run.cancel_requested}"
    return Seen(run.status, run.attempt, last or 0, rest)


def live_of(session: Session, run_id: str, after: int = 0) -> Live:
    """Return what the run has said so far; of its cells, what came after the message *after*."""
    said = select(RunEvent).where(RunEvent.run_id == run_id)
    cells = said.where(RunEvent.kind == "cell", RunEvent.seq > after).order_by(RunEvent.seq)
    others = said.where(RunEvent.kind.in_(("stage", "at_work"))).order_by(RunEvent.seq)
    newest = said.where(RunEvent.kind == "log").order_by(RunEvent.seq.desc()).limit(MOST_LOG_LINES)
    stages: dict[str, LiveStage] = {}
    at_work = None
    for event in session.scalars(others):
        if event.kind == "stage":
            stage = _stage(event.payload)
            stages[stage.name] = stage
        else:
            index = int(_number(event.payload.get("cell")) or 0)
            title, text = (_text(event.payload.get(name)) for name in ("title", "text"))
            at_work = AtWork(index, title, text)
    log = "".join(
        _text(event.payload.get("text")) for event in reversed([*session.scalars(newest)])
    )
    return Live(
        tuple(stages.values()),
        tuple(_cell(event.seq, event.payload) for event in session.scalars(cells)),
        at_work,
        tuple(log[-LONGEST_LOG:].splitlines()[-MOST_LOG_LINES:]),
    )


def live_image(session: Session, run_id: str, seq: int) -> bytes:
    """Return the PNG that a finished cell drew, or raise NotFoundError."""
    event = session.get(RunEvent, (run_id, seq)) if seq <= LARGEST_INTEGER else None
    image = event.payload.get("image") if event is not None else None
    if not isinstance(image, str) or not image.startswith(_PNG):
        raise NotFoundError(f"Run {run_id!r} has no live figure {seq}.")
    try:
        return base64.b64decode(image.removeprefix(_PNG), validate=True)
    except binascii.Error:
        raise NotFoundError(f"Live figure {seq} of run {run_id!r} is no PNG.") from None


def _stage(payload: dict[str, Any]) -> LiveStage:
    return LiveStage(
        _text(payload.get("stage")),
        _text(payload.get("status")),
        _text(payload.get("sentence")),
        _number(payload.get("seconds")),
    )


def _cell(seq: int, payload: dict[str, Any]) -> LiveCell:
    figure = _number(payload.get("figure"))
    return LiveCell(
        seq,
        int(_number(payload.get("index")) or 0),
        int(_number(payload.get("total")) or 0),
        _text(payload.get("title")),
        _text(payload.get("source")),
        _number(payload.get("seconds")),
        _text(payload.get("text")),
        None if figure is None else int(figure),
        _error(payload.get("error")),
    )


def _error(value: object) -> str:
    if isinstance(value, dict):
        return _text(value.get("traceback") or value.get("message"))
    return _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
