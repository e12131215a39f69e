"""What people make of a run: its tags, pins and comments, and the buttons for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.archive.pin_form import pin_asked
from app.current import actor, installation
from provenance.datasets.pins import pin, pins_of, unpin
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Pin
from provenance.ledger.finding import find_run
from provenance.ledger.keeping_tables import RunComment
from provenance.ledger.marks import (
    add_comment,
    add_tag,
    comments_of,
    remove_comment,
    remove_tag,
    tags_of,
)


@dataclass(frozen=True)
class Notes:
    """What a run's page shows of it."""

    tags: Sequence[str]
    pins: Sequence[Pin]
    comments: Sequence[RunComment]
    me: str
    now: datetime


def notes_of(session: Session, run_id: str) -> Notes:
    """Return what people have made of a run."""
    pins, said = pins_of(session, run_id), comments_of(session, run_id)
    return Notes(tags_of(session, run_id), pins, said, actor(), utc_now())


def tag_run(run_id: str) -> Response:
    """Put a tag on a run; go back to it."""
    with installation().ledger.writing() as session:
        add_tag(session, run_id, request.form.get("tag", ""), actor())
    return _to_notes(run_id)


def untag_run(run_id: str) -> Response:
    """Take a tag away; go back to the run."""
    with installation().ledger.writing() as session:
        remove_tag(session, run_id, request.form.get("tag", ""))
    return _to_notes(run_id)


def pin_run(run_id: str) -> Response:
    """Hold on to a run, until a day or for good; go back to it."""
    reason, ends = pin_asked()
    with installation().ledger.writing() as session:
        pin(session, find_run(session, run_id).id, actor(), reason, ends)
    return _to_notes(run_id)


def unpin_run(run_id: str) -> Response:
    """Let go of a run; go back to it."""
    with installation().ledger.writing() as session:
        unpin(session, find_run(session, run_id).id, actor())
    return _to_notes(run_id)


def comment_run(run_id: str) -> Response:
    """Say something about a run; go back to it."""
    with installation().ledger.writing() as session:
        add_comment(session, run_id, request.form.get("text", ""), actor())
    return _to_notes(run_id)


def uncomment_run(comment_id: str) -> Response:
    """Take back what one has said; go back to the run."""
    with installation().ledger.writing() as session:
        run_id = remove_comment(session, comment_id, actor())
    return _to_notes(run_id)


def _to_notes(run_id: str) -> Response:
    return redirect(url_for("archive.run", run_id=run_id, _anchor="notes"), 303)
