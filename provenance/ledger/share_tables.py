"""Links that open one report to whoever has them, until they end."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from provenance.ledger.columns import Base, utc_now


class Share(Base):
    """One link to one run's report. Its token is with whoever was given it, and nowhere here."""

    __tablename__ = "share"
    __table_args__ = (Index("ix_share_run_id_id", "run_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    actor: Mapped[str]
    """Who made it."""
    at: Mapped[datetime] = mapped_column(default=utc_now)
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None for one that still opens."""
        if self.revoked_at is not None:
            return min(self.revoked_at, self.ends_at)
        return self.ends_at if self.ends_at <= utc_now() else None
