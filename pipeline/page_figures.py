"""The figures and tables that the page of a report shows, found in its executed notebook.

A figure is one output that the page shows as a picture, as a table, or as a chart that Plotly or
Vega draws. Its content is what the page shows of it, in a form that is the same for the same
figure, so that its digest tells whether it is.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.drawn import PLOTLY, VEGA, altair_chart
from pipeline.figure_slots import Slots
from pipeline.rendering.widgets import VIEW
from pipeline.table_texts import MEDIA_TYPE, table_texts
from provenance.explain.shown import outputs_of, source_of, tags_of, template_cells

MOST_FIGURES = 1_000
"""Figures of a page that are kept, in their order; of the others only their number is."""
LARGEST = 8_000_000
"""Bytes of a figure."""
LARGEST_TABLE = 1_000_000
"""Characters of HTML that are read for a table, of each output: what is longer, a page cuts."""
_ALL_TABLES = 2 * LARGEST_TABLE
_JSON = "application/json"
_SVG = "image/svg+xml"
_PICTURES = (_SVG, "image/png", "image/jpeg", "image/gif", "image/webp")
_SHOWN_OTHERWISE = ("text/markdown", "text/vnd.mermaid", "text/latex")
"""Forms that a page prefers to a picture, and that are none."""


@dataclass(frozen=True)
class Drawing:
    """What an output shows, as far as that is a figure."""

    kind: str
    """``image``, ``table``, ``plotly`` or ``vega``."""
    media_type: str
    content: bytes


@dataclass(frozen=True)
class FoundFigure:
    """A figure at its place."""

    cell: int
    """The number of its cell among all cells of the template, from 1."""
    heading: str
    """The heading that it stands below; empty where there is none."""
    slot: str
    """What it is called on this page and on that of another commit."""
    drawing: Drawing


def page_figures(notebook: bytes) -> Iterator[FoundFigure]:
    """Yield the figures of the page of an executed *notebook*, in their order, each by itself.

    What is no notebook has none.
    """
    try:
        content = json.loads(notebook)
    except (ValueError, RecursionError):
        return
    slots, room = Slots(), _Room()
    for number, cell in template_cells(content):
        if cell.get("cell_type") == "markdown":
            slots.read(source_of(cell))
        if cell.get("cell_type") != "code":
            continue
        slots.enter(tags_of(cell))
        for output in outputs_of(cell.get("outputs")):
            drawing = _drawing(output.forms, room) if output.kind == "data" else None
            if drawing is not None and len(drawing.content) <= LARGEST:
                slot = slots.next(drawing.kind)
                yield FoundFigure(number, slots.heading, slot, drawing)


@dataclass
class _Room:
    """Characters of tables that are still read, so that no page takes long."""

    tables: int = _ALL_TABLES


def _drawing(forms: Mapping[str, str], room: _Room) -> Drawing | None:
    """Return what a page shows of an output, in its order of preference."""
    for media in forms:
        if VEGA.fullmatch(media):
            return _data("vega", forms[media])
    if PLOTLY in forms and (drawn := _data("plotly", forms[PLOTLY])) is not None:
        return drawn
    if VIEW in forms:
        return None
    if "text/html" in forms:
        return _html(forms["text/html"], room)
    if any(media in forms for media in _SHOWN_OTHERWISE):
        return None
    return next((_picture(media, forms[media]) for media in _PICTURES if media in forms), None)


def _html(source: str, room: _Room) -> Drawing | None:
    if (chart := altair_chart(source)) is not None:
        return _chart("vega", chart[0])
    if "<table" not in source.lower() or len(source) > min(LARGEST_TABLE, room.tables):
        return None
    room.tables -= len(source)
    content = table_texts(source)
    return None if content is None else Drawing("table", MEDIA_TYPE, content)


def _data(kind: str, text: str) -> Drawing | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    if kind == "plotly" and not isinstance(data.get("data"), list):
        return None
    return _chart(kind, data)


def _chart(kind: str, data: Any) -> Drawing | None:
    try:
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    except RecursionError:  # what is just shallow enough to be read may be too deep to be written
        return None
    return Drawing(kind, _JSON, text.encode())


def _picture(media_type: str, text: str) -> Drawing | None:
    if media_type == _SVG:
        content = text.encode("utf-8", "replace")
    else:
        try:
            content = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    return Drawing("image", media_type, content) if content else None
