"""What the pages of reports say and show, so that it can be found and compared."""

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
            sqlite_where=text("figures IS NULL"),
            postgresql_where=text("figures IS NULL"),
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
    about: Mapped[str | None]
    """What its first Markdown cell says of the report: heading and first paragraph, a line each."""
    figures: Mapped[int | None]
    """How many figures it shows; null until somebody has looked, which is when its words are
    read, or after that where they were read by an earlier version."""


class PageHead(Base):
    """The newest run of each page; a page that only runs about other runs have, has none."""

    __tablename__ = "page_head"
    __table_args__ = (Index("ix_page_head_run_id", "run_id", "page_id"),)

    page_id: Mapped[int] = mapped_column(ForeignKey("page_text.id"), primary_key=True)
    run_id: Mapped[str]


class Figure(Base):
    """One figure or table that a page shows."""

    __tablename__ = "figure"
    __table_args__ = (Index("ix_figure_sha256_page_id", "sha256", "page_id"),)

    page_id: Mapped[int] = mapped_column(ForeignKey("page_text.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """Its place among the figures of the page, from 1."""
    slot: Mapped[str]
    """What the same figure is called on pages of other commits; a page has each slot once."""
    heading: Mapped[str]
    """The heading that it stands below; empty where there is none."""
    kind: Mapped[str]
    """``image``, ``table``, ``plotly`` or ``vega``."""
    media_type: Mapped[str]
    sha256: Mapped[str]
    """Digest of what it shows, and of the object that holds it: equal digests, equal figures."""
    size: Mapped[int]
    """Bytes of that object."""
    cell: Mapped[int]
    """Number of its cell among all cells of the template, from 1."""
