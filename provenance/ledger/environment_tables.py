"""The tables of environments: what each is made of, how its builds went, how its kernels do."""

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


class KernelProof(Base):
    """What is known of an environment's warm kernels: whether they give what cold ones do."""

    __tablename__ = "kernel_proof"

    environment: Mapped[str] = mapped_column(primary_key=True)
    """Key of the environment."""
    preload: Mapped[str] = mapped_column(primary_key=True)
    """Digest of the modules that they have imported while they wait."""
    modules: Mapped[list[Any]]
    """These modules."""
    runs: Mapped[int] = mapped_column(default=0)
    """Reports that they executed, since they are trusted."""
    proved: Mapped[int] = mapped_column(default=0)
    """How often a cold kernel gave the same."""
    outcome: Mapped[str | None]
    """How the newest proof ended: ``equal``, ``nondeterministic`` or ``differs``."""
    at: Mapped[datetime | None]
    """When that was."""
    run_id: Mapped[str | None]
    """The run that was proved."""
    told: Mapped[dict[str, Any] | None]
    """``{"sentence", "findings": [{"where", "said", "before", "after"}], "more"}`` where it was
    not equal; ``before`` is the warm kernel's."""
    off_at: Mapped[datetime | None]
    """Since when kernels are started afresh, after ``run_id`` showed a difference; else null."""
    trusted_at: Mapped[datetime | None]
    """When somebody has looked at a difference, and let them be used again."""
    trusted_by: Mapped[str | None]
