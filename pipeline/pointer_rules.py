"""When a job's batch becomes the current one, and when people or newer work come first.

A result is reused again and again, so that publishing must say what is new about it: what was
taken back does not return by itself, and an old commit's result does not undo a newer one's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provenance.ledger.data_tables import Batch, PointerEvent
from provenance.ledger.tables import Commit, Run
from provenance.record import Record, read_record
from provenance.store import Store

_TAKING_BACK = ("rollback", "retire")
_OLDER, _SAME, _NEWER = -1, 0, 1


@dataclass(frozen=True)
class Work:
    """What wants to publish: a job of a run, and when the run looked at the data."""

    run_id: str
    record: Record
    seen_at: datetime
    store: Store


def why_not(session: Session, work: Work, batch: Batch) -> str | None:
    """Return why *batch* does not become current; None where it may, empty where it is already.

    A pointer that moved since the run began is a conflict, unless older work of the same
    stage moved it.
    """
    last = _last(session, batch.partition_id)
    if last is None:
        return None
    if last.to_batch == batch.id:
        return ""
    return next(_reasons(session, work, batch, last), None)


def _reasons(session: Session, work: Work, batch: Batch, last: PointerEvent) -> Iterator[str]:
    current = session.get(Batch, last.to_batch) if last.to_batch is not None else None
    if current is not None and current.sha256 == batch.sha256:
        yield f"batch {current.number} is current and has the same content"
    if taken := _taken_back(session, batch):
        yield _said_of(taken)
    order = _order(session, work, last, current)
    if order is None and last.at > work.seen_at and last.run_id != work.run_id:
        at = f"{last.at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{last.actor} moved the pointer meanwhile ({last.op} at {at})"
    if current is not None and order == _OLDER:
        yield f"batch {current.number} of a newer commit is current"
    if order != _NEWER and _was_published(session, batch):
        yield "it was published before, and something else is current by now"


def _last(session: Session, partition_id: str) -> PointerEvent | None:
    events = select(PointerEvent).where(PointerEvent.partition_id == partition_id)
    return session.scalars(events.order_by(PointerEvent.version.desc()).limit(1)).one_or_none()


def _taken_back(session: Session, batch: Batch) -> PointerEvent | None:
    """Return the event that took this content away, if nobody has brought it back since."""
    same = select(Batch.id).where(
        Batch.partition_id == batch.partition_id, Batch.sha256 == batch.sha256
    )
    touching = or_(PointerEvent.to_batch.in_(same), PointerEvent.from_batch.in_(same))
    newest = (
        select(PointerEvent)
        .where(PointerEvent.partition_id == batch.partition_id, touching)
        .order_by(PointerEvent.version.desc())
        .limit(1)
    )
    event = session.scalars(newest).one_or_none()
    return event if event is not None and event.op in _TAKING_BACK else None


def _said_of(taken: PointerEvent) -> str:
    how = {"rollback": "rolled it back", "retire": "retired it"}[taken.op]
    reason = f" ({taken.reason})" if taken.reason else ""
    return f"{taken.actor} {how} at {taken.at:%Y-%m-%d %H:%M:%S} UTC{reason}"


def _was_published(session: Session, batch: Batch) -> bool:
    moved = select(PointerEvent.version).where(PointerEvent.to_batch == batch.id)
    return session.scalar(moved.limit(1)) is not None


def _order(session: Session, work: Work, last: PointerEvent, current: Batch | None) -> int | None:
    """Return how our commit stands to the one whose batch is current: newer, same or older.

    None where what is current is no work of the same stage: nothing is known then.
    """
    if last.op != "publish" or last.run_id is None or current is None:
        return None
    made = read_record(work.store, current.record)
    if made is None or _maker(made) != _maker(work.record):
        return None
    ours, theirs = session.get(Run, work.run_id), session.get(Run, last.run_id)
    if ours is None or theirs is None or ours.project_id != theirs.project_id:
        return None
    if ours.commit_sha == theirs.commit_sha:
        return _SAME
    return _NEWER if _age(session, ours) > _age(session, theirs) else _OLDER


def _maker(record: Record) -> tuple[str, str, str]:
    kind = "report" if record.kind == "report" else "stage"
    return kind, record.name, str(record.code.get("project"))


def _age(session: Session, run: Run) -> tuple[datetime, str]:
    """Return what commits are put in order by; of commits of one second, the run decides."""
    commit = session.get(Commit, (run.project_id, run.commit_sha))
    # Ids of runs grow with time.
    return (commit.committed_at if commit is not None else run.created_at), run.id
