"""The tables that trace results: what each stands on, who makes it now, how long that takes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from provenance.ledger.columns import Base, utc_now


class RecordUse(Base):
    """One thing that the result of a record stands on, or that it made: an index of records."""

    __tablename__ = "record_use"
    __table_args__ = (
        Index("ix_record_use_kind_name", "kind", "name"),
        Index("ix_record_use_digest", "digest"),
    )

    record: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """``file`` (path), ``input``, ``output``, ``package``, ``batch`` (its id), ``source``, or
    ``producer`` (the input that was taken from another record)."""
    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """SHA-256 of a file, input, output or batch; the version of a package; a producer's record."""


class KeyLease(Base):
    """Who makes the result of a key now; the token grows with each holder and fences them."""

    __tablename__ = "key_lease"

    key: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    token: Mapped[int]
    until: Mapped[datetime]


class KeyEvent(Base):
    """Something about a key that people should know; append-only."""

    __tablename__ = "key_event"
    __table_args__ = (Index("ix_key_event_key", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    kind: Mapped[str]
    """``nondeterministic``: made again, its outputs were others. ``refused``: too late."""
    record: Mapped[str]
    """The record that stands for the key."""
    other: Mapped[str | None]
    """The record that does not."""
    run_id: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Reproduction(Base):
    """One attempt to make a run again, and how near it came."""

    __tablename__ = "reproduction"
    __table_args__ = (Index("ix_reproduction_run_id", "run_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    """The run that was to be reproduced."""
    again: Mapped[str | None] = mapped_column(ForeignKey("run.id"), index=True)
    """The run that did it; null where it could not even begin."""
    answer: Mapped[str]
    """``identical``, ``within_tolerance``, ``differs`` or ``cannot``."""
    sentence: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class CaseTimes(Base):
    """How long the last executed runs of one case of a report took."""

    __tablename__ = "case_times"
    __table_args__ = (Index("ix_case_times_project_id_report_at", "project_id", "report", "at"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    report: Mapped[str] = mapped_column(primary_key=True)
    case_key: Mapped[str] = mapped_column(primary_key=True)
    seconds: Mapped[float]
    """Seconds that the next one is expected to take."""
    recent: Mapped[list[Any]]
    """``{"before", "cells": [[index, seconds]], "after", "total"}`` of each, the newest last."""
    at: Mapped[datetime] = mapped_column(default=utc_now)
