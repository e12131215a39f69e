"""Noting which figures a page shows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from provenance.ledger.inserting import insert_into
from provenance.ledger.text_tables import Figure, PageText
from provenance.text import storable

_KEPT = ("number", "slot", "heading", "kind", "media_type", "sha256", "size", "cell")


def write_figures(session: Session, page_id: int, figures: Sequence[Figure], total: int) -> None:
    """Say which *figures* a page shows, of *total*; who comes second changes nothing."""
    unread = update(PageText).where(PageText.id == page_id, PageText.figures.is_(None))
    written: Any = session.execute(unread.values(figures=total))
    if not written.rowcount or not figures:
        return
    rows = [
        {"page_id": page_id} | {name: storable(getattr(figure, name)) for name in _KEPT}
        for figure in figures
    ]
    session.execute(insert_into(session, Figure).on_conflict_do_nothing(), rows)
