"""Which pages there are, and what belongs to one: its head names figures and whole outputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from provenance.record import Record

_LIST = '<script type="application/json" id="parts">'
RECORD_ELEMENT = '<script type="application/ld+json">'
"""What the record inside a page begins with, in its head."""
_END = "</script>"
_HTML = "html"
_WITH_PAGE = frozenset({"report", "render"})
"""Kinds of records that have a page of ours; HTML of a stage leads to nothing."""


@dataclass(frozen=True)
class Part:
    """One file that a page leads to; ``place`` is the end of its address.

    That is ``<cell>/<output>-<beginning of the digest>``, and a suffix that tells its form.
    """

    place: str
    media_type: str
    sha256: str
    size: int


def parts_of(page: str) -> Mapping[str, Part]:
    """Return by their places the parts that a finished page leads to.

    Only what its head says counts: the rest of a page is written by templates.
    """
    text = embedded(page.partition("<body>")[0], _LIST)
    told = json.loads(text) if text else {}
    return {
        place: Part(place, media_type, sha256, size)
        for place, (sha256, media_type, size) in told.items()
    }


def embedded(head: str, element: str) -> str:
    """Return what stands in the first such *element* of a script; nothing where there is none.

    Sought from the front, once: a page may have been made to have its reader look for long.
    """
    _, _, rest = head.partition(element)
    text, end, _ = rest.partition(_END)
    return text if end else ""


def page_of(record: Record) -> str | None:
    """Return the digest of the page that *record* tells of; None where it has none."""
    page = record.output(_HTML) if record.kind in _WITH_PAGE else None
    return page.sha256 if page is not None else None
