"""What a run that is under way has said so far."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.errors import NotFoundError
from provenance.ledger.columns import LARGEST_INTEGER
from provenance.ledger.tables import Run, RunEvent

MOST_LOG_LINES = 200
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
    has_image: bool
    error: str


@dataclass(frozen=True)
class Live:
    """All messages of a run, put together."""

    stages: tuple[LiveStage, ...]
    cells: tuple[LiveCell, ...]
    log: tuple[str, ...]


def live_token(session: Session, run: Run) -> str:
    """Return a short text that changes whenever there is something new to show."""
    last = session.scalar(select(func.max(RunEvent.seq)).where(RunEvent.run_id == run.id))
    return f"{run.status}.{last or 0}.{run.cells_done}.{run.cells_total}.{run.doing}"


def live_of(session: Session, run_id: str) -> Live:
    """Return what the run has said so far."""
    query = select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.seq)
    stages: dict[str, LiveStage] = {}
    cells: dict[int, LiveCell] = {}
    log: list[str] = []
    for event in session.scalars(query):
        if event.kind == "stage":
            stage = _stage(event.payload)
            stages[stage.name] = stage
        elif event.kind == "cell":
            cell = _cell(event.seq, event.payload)
            cells[cell.index] = cell
        elif event.kind == "log":
            log.extend(_text(event.payload.get("text")).splitlines())
    in_order = tuple(cells[index] for index in sorted(cells))
    return Live(tuple(stages.values()), in_order, tuple(log[-MOST_LOG_LINES:]))


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
    return LiveCell(
        seq,
        int(_number(payload.get("index")) or 0),
        int(_number(payload.get("total")) or 0),
        _text(payload.get("title")),
        _text(payload.get("source")),
        _number(payload.get("seconds")),
        _text(payload.get("text")),
        _text(payload.get("image")).startswith(_PNG),
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
