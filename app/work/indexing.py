"""Reading what pages say and show: they are found by their words, and compared by their figures.

It is done after runs have been published, for pages of an upgraded archive as well.
"""

import time
from dataclasses import dataclass, field

import structlog
from sqlalchemy.orm import Session

from pipeline.installation import Installation
from pipeline.page_figures import MOST_FIGURES, FoundFigure, page_figures
from pipeline.page_words import page_about, page_words
from provenance.ledger.figures import write_figures
from provenance.ledger.text_tables import Figure
from provenance.ledger.words import Unread, unread_pages, write_about, write_words
from provenance.store import MissingObjectError, Store

_AT_ONCE = 20
_LARGEST = 20_000_000
"""Bytes of a notebook: of a larger one, only the names can be found."""
_log = structlog.get_logger()


@dataclass
class _Read:
    """What was found on a page."""

    page: Unread
    words: str = ""
    about: str = ""
    figures: list[Figure] = field(default_factory=list)
    total: int = 0

    def write(self, session: Session) -> None:
        """Note it; the objects are in the store."""
        if not self.page.has_words:
            write_words(session, self.page.id, self.words)
        write_about(session, self.page.id, self.about)
        write_figures(session, self.page.id, self.figures, self.total)


def read_pages(installation: Installation, seconds: float) -> int:
    """Read pages that nobody has read yet, the newest first, and return how many.

    It stops after about so many *seconds*. Who is killed meanwhile leaves the rest to the next.
    """
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with installation.ledger.reading() as session:
            pages = unread_pages(session, _AT_ONCE)
        read = []
        for page in pages:
            read.append(_read_if_it_can_be(installation.store, page))
            if time.monotonic() >= until:
                break
        if read:
            with installation.ledger.writing() as session:
                for one in read:
                    one.write(session)
        count += len(read)
        if len(pages) < _AT_ONCE:
            break
    return count


def _read_if_it_can_be(store: Store, page: Unread) -> _Read:
    """Read a page; one that cannot be read is noted as empty, or no page after it ever would be."""
    try:
        return _read(store, page)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        _log.warning("a page cannot be read", notebook=page.notebook, error=repr(error)[:500])
        return _Read(page)


def _read(store: Store, page: Unread) -> _Read:
    found, data = _Read(page), _notebook(store, page)
    if data is None:
        return found
    if not page.has_words:
        found.words = page_words(data)
    found.about = page_about(data)
    for figure in page_figures(data):
        found.total += 1
        if found.total <= MOST_FIGURES:
            found.figures.append(_kept(store, figure, found.total))
    return found


def _kept(store: Store, figure: FoundFigure, number: int) -> Figure:
    """Keep what a figure shows, and return its row."""
    drawing = figure.drawing
    blob = store.put_bytes(drawing.content)
    return Figure(
        number=number,
        slot=figure.slot,
        heading=figure.heading,
        kind=drawing.kind,
        media_type=drawing.media_type,
        sha256=blob.sha256,
        size=blob.size,
        cell=figure.cell,
    )


def _notebook(store: Store, page: Unread) -> bytes | None:
    """Return a page's notebook; None where it has none, or one too large to be read."""
    if page.notebook is None:
        return None
    try:
        with store.open(page.notebook) as file:
            data = file.read(_LARGEST + 1)
    except MissingObjectError:
        _log.info("a page has no notebook any more", notebook=page.notebook)
        return None
    return data if len(data) <= _LARGEST else None
