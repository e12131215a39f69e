"""Executed notebooks as cells that can be set side by side; none of what they hold is trusted."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.comparing.tables import Table, read_table
from app.pictures import NoPictureError, image_address
from provenance.explain import shown
from provenance.text import readable

LARGEST_NOTEBOOK = 32 * 1024 * 1024
MOST_CELLS = 500
LONGEST_TEXT = 200_000
"""Characters of one output, or of a source, that are compared."""
_SVG = "image/svg+xml"
_IMAGES = ("image/png", "image/jpeg", _SVG)
_TEXTS = ("text/plain", "text/markdown", "text/latex", "text/html", "application/json")
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,16}\b")


@dataclass(frozen=True)
class Output:
    """One thing that a cell shows."""

    kind: str
    """``stdout``, ``stderr``, ``error``, ``text``, ``table``, ``image`` or ``other``."""
    text: str
    """What it says; of an image its data address, of anything else that has no text its type."""
    table: Table | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of the template."""

    number: int
    """Its place among all cells of the template, from 1."""
    kind: str
    """``code``, ``markdown`` or ``raw``."""
    source: str
    outputs: tuple[Output, ...]


def cells_of(data: bytes) -> tuple[Cell, ...]:
    """Return the cells of an executed notebook, without the one that holds the run's values.

    Of what is no notebook, none.
    """
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    cells = list(shown.template_cells(notebook))[:MOST_CELLS]
    return tuple(_cell(number, cell) for number, cell in cells)


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    source, outputs = _text(shown.source_of(cell)), shown.outputs_of(cell.get("outputs"))
    return Cell(number, str(cell["cell_type"]), source, tuple(map(_output, outputs)))


def _output(output: shown.Output) -> Output:
    """Return the best form of an output that can be compared."""
    if output.kind != "data":
        return Output(output.kind, _text(output.forms["text/plain"]))
    for media in _IMAGES:
        if address := _address(media, output.forms.get(media, "")):
            return Output("image", address)
    html = output.forms.get("text/html", "")
    if "<table" in html and (table := read_table(html)):
        return Output("table", _text(output.forms.get("text/plain", "")), table)
    for media in _TEXTS:
        if media in output.forms:
            return Output("text", _text(output.forms[media]))
    return Output("other", ", ".join(list(output.forms)[:5]) or "nothing")


def _address(media: str, content: str) -> str:
    """Return an image as a data address; an empty text where it is too large, or is none."""
    if media == _SVG:
        content = base64.b64encode(content.encode(errors="replace")).decode()
    try:
        return image_address(media, content) if content else ""
    except NoPictureError:
        return ""


def _text(text: str) -> str:
    """Return text as it is compared: without colours, and without addresses in memory."""
    return _ADDRESS.sub("at 0x…", readable(text[:LONGEST_TEXT]))
