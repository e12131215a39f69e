"""What the pages of reports say, so that they can be found by their words."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from provenance.ledger.columns import Base

WORDS = "page_words"
"""On SQLite, the full-text index (FTS5) of `PageText`; on PostgreSQL one of its columns."""


class PageText(Base):
    """The words of one rendered page, which many runs may share.

    A page is noted when a run publishes it and read afterwards, by a worker that has time.
    """

    __tablename__ = "page_text"
    __table_args__ = (
        Index(
            "ix_page_text_unread",
            "id",
            sqlite_where=text("body IS NULL"),
            postgresql_where=text("body IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    html: Mapped[str] = mapped_column(unique=True)
    """Digest of the page."""
    notebook: Mapped[str | None]
    """Digest of the executed notebook that it was made of."""
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    names: Mapped[str]
    """Its project, report and parameters, and the message of the commit that it was made at."""
    body: Mapped[str | None]
    """What its prose and outputs say; null until somebody has read them."""
