"""What people make of runs afterwards: tags, comments, the bin, how long pages are kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from provenance.ledger.columns import Base, utc_now

BIN_DAYS = 30
"""For how long a deletion can be undone."""


class RunTag(Base):
    """A word that somebody put on a run."""

    __tablename__ = "run_tag"
    __table_args__ = (Index("ix_run_tag_tag_run_id", "tag", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class RunComment(Base):
    """What somebody had to say about a run."""

    __tablename__ = "run_comment"

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True)
    actor: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class BinnedRun(Base):
    """A run that was deleted, with all its rows, for as long as that can be undone."""

    __tablename__ = "binned_run"

    id: Mapped[str] = mapped_column(primary_key=True)
    deletion: Mapped[str] = mapped_column(index=True)
    """What was deleted at once shares it; sorts by age."""
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluation.id"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    report: Mapped[str]
    case: Mapped[dict[str, Any]]
    verdict: Mapped[str | None]
    commit_sha: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    rows: Mapped[dict[str, Any]]
    """By table the rows that it had, in JSON form."""
    record: Mapped[str | None] = mapped_column(index=True)
    html: Mapped[str | None] = mapped_column(index=True)


class BinHold(Base):
    """An object that a deleted run needs, should it come back."""

    __tablename__ = "bin_hold"
    __table_args__ = (Index("ix_bin_hold_digest", "digest"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("binned_run.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)


class Retention(Base):
    """How long the pages of a report are kept; with an empty *report*, of a whole project."""

    __tablename__ = "retention"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    report: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class StorageUse(Base):
    """What a report took in the store when that was measured the last time.

    With an empty *report*, a whole project; with an empty *project* as well, the whole store.
    """

    __tablename__ = "storage_use"

    project: Mapped[str] = mapped_column(primary_key=True)
    report: Mapped[str] = mapped_column(primary_key=True)
    runs: Mapped[int]
    pages: Mapped[int]
    """Different pages: of the whole store, objects of any kind."""
    due: Mapped[bool] = mapped_column(default=False)
    """Of the whole store: whether somebody has asked for it to be measured anew."""
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes: pages, executed notebooks and logs; what several share is counted for each."""
    at: Mapped[datetime]
