"""Explanations of runs by their ids: from the ledger and the store."""

from collections.abc import Iterable
from os import SEEK_END

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.explain.compare import compare
from provenance.explain.data import BatchFacts
from provenance.explain.diffs import Text
from provenance.explain.model import Explanation, Telling
from provenance.explain.pairs import Kept
from provenance.explain.tell import tell
from provenance.ledger.data_tables import Batch, PointerEvent
from provenance.ledger.key_events import NONDETERMINISTIC, key_events
from provenance.ledger.uses import AT_A_TIME, chunks
from provenance.record import Record
from provenance.store import CorruptObjectError, MissingObjectError, Store
from provenance.story import Story, load_story

LARGEST_TEXT = 32 * 1024 * 1024
"""Bytes of a notebook that is still looked into."""


def explain_runs(session: Session, store: Store, a: str, b: str) -> Explanation:
    """Return why run *b* is not what run *a* is; raise UnknownRunError."""
    old = load_story(session, store, a, whole=False)
    new = load_story(session, store, b, whole=False)
    return compare(old, new, kept_in(session, store, [old, new]))


def tell_run(session: Session, store: Store, run_id: str) -> Telling:
    """Return the story of one run; raise UnknownRunError."""
    story = load_story(session, store, run_id, whole=False)
    return tell(story, kept_in(session, store, [story]))


def kept_in(session: Session, store: Store, stories: Iterable[Story]) -> Kept:
    """Return where the explanation of *stories* finds texts, batches and odd keys."""
    jobs = [job for story in stories for job in story.jobs]
    keys = {job.key for job in jobs}
    odd = {event.key for event in key_events(session, *keys) if event.kind == NONDETERMINISTIC}
    batches = _batches_of(session, (job.record for job in jobs if job.record))
    return Kept(text_in(store), batches.get, frozenset(odd))


def text_in(store: Store) -> Text:
    """Return what gives the text that *store* keeps under a digest; None where it has none."""

    def text(digest: str) -> str | None:
        try:
            with store.open(digest) as handle:
                if handle.seek(0, SEEK_END) > LARGEST_TEXT:
                    return None
            return store.read(digest).decode()
        except (OSError, MissingObjectError, CorruptObjectError, UnicodeDecodeError):
            return None

    return text


def _batches_of(session: Session, records: Iterable[Record]) -> dict[str, BatchFacts]:
    """Return all batches that *records* read, each with the event that first made it current."""
    ids = {str(told["batch"]) for record in records for told in record.inputs if told.get("batch")}
    found: dict[str, BatchFacts] = {}
    for some in chunks(sorted(ids), AT_A_TIME):
        moves = select(PointerEvent).where(PointerEvent.to_batch.in_(some))
        first: dict[tuple[str, str | None], PointerEvent] = {}
        for event in session.scalars(moves.order_by(PointerEvent.version)):
            first.setdefault((event.partition_id, event.to_batch), event)
        for batch in session.scalars(select(Batch).where(Batch.id.in_(some))):
            found[batch.id] = _facts(batch, first.get((batch.partition_id, batch.id)))
    return found


def _facts(batch: Batch, event: PointerEvent | None) -> BatchFacts:
    at = event.at if event else batch.created_at
    return BatchFacts(
        id=batch.id,
        kind=batch.partition.dataset.kind,
        dataset=batch.partition.dataset.name,
        partition=batch.partition.name,
        number=batch.number,
        rows=batch.rows,
        sha256=batch.sha256,
        schema_change=batch.schema_change,
        actor=event.actor if event else batch.actor,
        reason=event.reason if event else "",
        published_at=f"{at:%Y-%m-%d %H:%M} UTC",
    )
