"""Tags and comments that people put on runs."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from provenance.errors import ConflictingError, InvalidInputError, NotFoundError
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Pin
from provenance.ledger.finding import find_run
from provenance.ledger.ids import new_id
from provenance.ledger.inserting import insert_into
from provenance.ledger.keeping_tables import RunComment, RunTag
from provenance.nearest import did_you_mean_or_all, shown
from provenance.text import storable

LONGEST_TAG, MOST_TAGS = 40, 20
LONGEST_COMMENT, MOST_COMMENTS = 5_000, 500
_TAG = re.compile(r"\w[\w .+:/@#-]*")


class BadTagError(InvalidInputError):
    """Raised when a text cannot be a tag."""

    code = "tag"


class BadCommentError(InvalidInputError):
    """Raised when a text cannot be a comment."""

    code = "comment"


class TooManyMarksError(ConflictingError):
    """Raised when a run has as many tags or comments as it may have."""

    code = "too_many"


class UnknownTagError(NotFoundError):
    """Raised when a run does not have the tag that is to go."""

    code = "unknown_tag"


class UnknownCommentError(NotFoundError):
    """Raised when there is no such comment, or it is somebody else's."""

    code = "unknown_comment"


@dataclass(frozen=True)
class Marks:
    """What a list shows beside a run."""

    tags: tuple[str, ...] = ()
    pinned: bool = False
    comments: int = 0


def read_tag(text: str) -> str:
    """Return the tag that somebody wrote, with single spaces; raise BadTagError."""
    tag = " ".join(text.split())
    if len(tag) <= LONGEST_TAG and _TAG.fullmatch(tag):
        return tag
    raise BadTagError(
        f"A tag: found {shown(tag)}, expected 1 to {LONGEST_TAG} letters, digits and . + : / @ # - "
        "that begin with a letter or digit.",
        "Longer things can be said in a comment.",
    )


def add_tag(session: Session, run_id: str, text: str, actor: str) -> str:
    """Put a tag on a run, unless it has it already, and return it.

    Raises UnknownRunError, BadTagError, TooManyMarksError.
    """
    tag = read_tag(text)
    find_run(session, run_id)
    known = tags_of(session, run_id)
    if tag not in known and len(known) >= MOST_TAGS:
        raise TooManyMarksError(f"Run {run_id} has {MOST_TAGS} tags, which is the most.", _FEWER)
    values = {"run_id": run_id, "tag": tag, "actor": actor, "at": utc_now()}
    session.execute(insert_into(session, RunTag).values(values).on_conflict_do_nothing())
    return tag


def remove_tag(session: Session, run_id: str, tag: str) -> None:
    """Take a tag away; raise UnknownTagError where the run does not have it."""
    found = session.get(RunTag, (run_id, tag))
    if found is None:
        known = tags_of(session, run_id)
        raise UnknownTagError(
            f"Run {shown(run_id)} has no tag {shown(tag)}.", did_you_mean_or_all(tag, known)
        )
    session.delete(found)


def tags_of(session: Session, run_id: str) -> list[str]:
    """Return the tags of a run by name."""
    query = select(RunTag.tag).where(RunTag.run_id == run_id).order_by(RunTag.tag)
    return [*session.scalars(query)]


def add_comment(session: Session, run_id: str, text: str, actor: str) -> RunComment:
    """Say something about a run; raise UnknownRunError, BadCommentError, TooManyMarksError."""
    said = storable(text.replace("\r\n", "\n")).strip()
    if not 1 <= len(said) <= LONGEST_COMMENT:
        raise BadCommentError(
            f"A comment: found {len(said):,} characters, expected 1 to {LONGEST_COMMENT:,}.",
            "Nothing was kept of it.",
        )
    find_run(session, run_id)
    of_run = select(func.count()).select_from(RunComment).where(RunComment.run_id == run_id)
    if (session.scalar(of_run) or 0) >= MOST_COMMENTS:
        raise TooManyMarksError(
            f"Run {run_id} has {MOST_COMMENTS} comments, which is the most.", _FEWER
        )
    comment = RunComment(id=new_id("comment"), run_id=run_id, actor=actor, text=said, at=utc_now())
    session.add(comment)
    return comment


def remove_comment(session: Session, comment_id: str, actor: str) -> str:
    """Take back what one has said, and return the run that it was about."""
    found = session.get(RunComment, comment_id)
    if found is None or found.actor != actor:
        raise UnknownCommentError(
            f"There is no comment {shown(comment_id)} of {actor}.", "Only one's own can be removed."
        )
    session.delete(found)
    return found.run_id


def comments_of(session: Session, run_id: str) -> Sequence[RunComment]:
    """Return what was said about a run, oldest first."""
    query = select(RunComment).where(RunComment.run_id == run_id).order_by(RunComment.id)
    return session.scalars(query).all()


def marks_of(session: Session, run_ids: Iterable[str]) -> Mapping[str, Marks]:
    """Return the marks of each run that has any."""
    values = {"runs": sorted(set(run_ids)), "now": utc_now()}
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for run_id, kind, what in session.execute(_every_mark(), values):
        found[run_id][kind].append(what)
    return {
        run_id: Marks(tuple(sorted(of["tag"])), bool(of["pin"]), len(of["comment"]))
        for run_id, of in found.items()
    }


@cache
def _every_mark() -> CompoundSelect[str, str, str]:
    """Return the query for the marks of ``runs``; to build it takes longer than it."""
    tag, pin, comment = map(literal, ("tag", "pin", "comment"))
    runs: BindParameter[Any] = bindparam("runs", expanding=True)
    now: BindParameter[datetime] = bindparam("now")
    return union_all(
        select(RunTag.run_id, tag, RunTag.tag).where(RunTag.run_id.in_(runs)),
        select(Pin.target, pin, Pin.holder).where(Pin.target.in_(runs), Pin.holds(now)),
        select(RunComment.run_id, comment, RunComment.id).where(RunComment.run_id.in_(runs)),
    )


_FEWER = "Remove one first."
