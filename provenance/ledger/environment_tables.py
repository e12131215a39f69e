"""The tables of environments: what each is made of, and how each of its builds went."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provenance.ledger.columns import Base, utc_now


class EnvironmentRow(Base):
    """A virtual environment as its lock determines it, whether it is there or not."""

    __tablename__ = "environment"

    key: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    """Name of the file that it is made from; ``default`` for the one that needs none."""
    python: Mapped[str]
    platform: Mapped[str]
    packages: Mapped[dict[str, Any] | None]
    """Version by name of all that is installed; null as long as no build has succeeded."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    builds: Mapped[list["EnvironmentBuild"]] = relationship(
        order_by="EnvironmentBuild.id.desc()", viewonly=True
    )


class EnvironmentBuild(Base):
    """One attempt at building an environment on some machine."""

    __tablename__ = "environment_build"
    __table_args__ = (
        Index("ix_environment_build_environment_id", "environment", "id"),
        Index("ix_environment_build_log", "log"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str] = mapped_column(ForeignKey("environment.key"))
    state: Mapped[str]
    """``building``, ``ready``, ``failed``, ``interrupted`` or ``collected``."""
    host: Mapped[str]
    run_id: Mapped[str | None]
    """The run that needed it; null where a command prepared it."""
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes of its files; null where none are left of it."""
    log: Mapped[str | None]
    """Digest of what was said while it was built."""
    error: Mapped[dict[str, Any] | None]
    """``{"message", "hint"}`` where it failed."""
    collected_at: Mapped[datetime | None]
