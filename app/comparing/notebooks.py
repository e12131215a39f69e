"""Executed notebooks as cells that can be set side by side; none of what they hold is trusted."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.comparing.tables import Table, read_table

LARGEST_NOTEBOOK = 32 * 1024 * 1024
MOST_CELLS = 500
LONGEST_TEXT = 200_000
"""Characters of one output that are compared."""
LARGEST_IMAGE = 4_000_000
_INJECTED = "injected-parameters"
_IMAGES = ("image/png", "image/jpeg", "image/svg+xml")
_TEXTS = ("text/plain", "text/markdown", "text/latex", "text/html", "application/json")
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,16}\b")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


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
        cells = json.loads(data)["cells"]
        told = [cell for cell in cells if _INJECTED not in _tags(cell)][:MOST_CELLS]
        return tuple(_cell(number, cell) for number, cell in enumerate(told, start=1))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    outputs = cell.get("outputs") or ()
    shown = (*_printed(outputs), *_displayed(outputs))
    return Cell(number, str(cell.get("cell_type")), _text(cell.get("source")), shown)


def _tags(cell: Mapping[str, Any]) -> list[Any]:
    return cell.get("metadata", {}).get("tags") or []


def _printed(outputs: Any) -> Iterator[Output]:
    """Take what was printed to one stream together: when a kernel sends is luck."""
    for name in ("stdout", "stderr"):
        told = "".join(_text(one.get("text")) for one in outputs if one.get("name") == name)
        if told:
            yield Output(name, told[:LONGEST_TEXT])


def _displayed(outputs: Any) -> Iterator[Output]:
    for one in outputs:
        kind = one.get("output_type")
        if kind == "error":
            yield Output("error", _text(f"{one.get('ename')}: {one.get('evalue')}"))
        elif kind != "stream":
            yield _data(one.get("data") or {})


def _data(data: Mapping[str, Any]) -> Output:
    """Return the best form of an output that can be compared."""
    for media in _IMAGES:
        if media in data and (address := _address(media, _joined(data[media]))):
            return Output("image", address)
    html = _joined(data["text/html"]) if "text/html" in data else ""
    if "<table" in html and (table := read_table(html)):
        return Output("table", _text(data.get("text/plain")), table)
    for media in _TEXTS:
        if media in data:
            return Output("text", _text(data[media])[:LONGEST_TEXT])
    return Output("other", ", ".join(sorted(map(str, data))[:5]) or "nothing")


def _address(media: str, content: str) -> str:
    """Return an image as a data address; an empty text where it is too large, or is none."""
    if media == "image/svg+xml":
        content = base64.b64encode(content.encode(errors="replace")).decode()
    compact = "".join(content.split())
    if len(compact) > LARGEST_IMAGE:
        return ""
    try:
        base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return f"data:{media};base64,{compact}"


def _text(value: Any) -> str:
    """Return text as it is compared: without colours, and without addresses in memory."""
    if not isinstance(value, str | list) and value is not None:
        value = json.dumps(value, sort_keys=True, indent=1)
    return _ADDRESS.sub("at 0x…", _UNSEEN.sub("", _ESCAPES.sub("", _joined(value))))


def _joined(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
