"""Reading what pages say, so that they can be found by their words."""

import time

import structlog

from pipeline.installation import Installation
from pipeline.page_words import page_words
from provenance.ledger.words import unread_pages, write_words
from provenance.store import MissingObjectError

_AT_ONCE = 20
_LARGEST = 20_000_000
"""Bytes of a notebook: of a larger one, only the names can be found."""
_log = structlog.get_logger()


def read_pages(installation: Installation, seconds: float) -> int:
    """Read pages that nobody has read yet, the newest first, and return how many.

    It stops after about so many *seconds*. Who is killed meanwhile leaves the rest to the next.
    """
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with installation.ledger.reading() as session:
            pages = unread_pages(session, _AT_ONCE)
        said = [(page.id, _said(installation, page.notebook)) for page in pages]
        if said:
            with installation.ledger.writing() as session:
                for page_id, words in said:
                    write_words(session, page_id, words)
        count += len(said)
        if len(pages) < _AT_ONCE:
            break
    return count


def _said(installation: Installation, notebook: str | None) -> str:
    if notebook is None:
        return ""
    try:
        with installation.store.open(notebook) as file:
            data = file.read(_LARGEST + 1)
    except MissingObjectError:
        _log.info("a page has no notebook any more", notebook=notebook)
        return ""
    return page_words(data) if len(data) <= _LARGEST else ""
