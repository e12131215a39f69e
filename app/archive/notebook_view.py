"""An executed notebook as cells to read: its JSON, told without running or trusting any of it."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

MOST_CELLS = 500
LONGEST_TEXT = 20_000
LARGEST_IMAGE = 4_000_000
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_IMAGES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class NotebookOutput:
    """One output; ``kind`` is text, error, image (a data address) or note."""

    kind: str
    text: str


@dataclass(frozen=True)
class NotebookCell:
    """One cell."""

    kind: str
    source: str
    count: int | None
    tags: tuple[str, ...]
    outputs: tuple[NotebookOutput, ...]


@dataclass(frozen=True)
class NotebookView:
    """A notebook, ready to be shown."""

    language: str
    cells: tuple[NotebookCell, ...]


def notebook_view(data: bytes) -> NotebookView:
    """Return the cells of an ``.ipynb``; of what is no notebook, none."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return NotebookView("", ())
    content = _dict(content)
    cells = tuple(_cell(_dict(cell)) for cell in _list(content.get("cells"))[:MOST_CELLS])
    kernel = _dict(_dict(content.get("metadata")).get("kernelspec"))
    return NotebookView(readable(_joined(kernel.get("display_name"))), cells)


def readable(text: str) -> str:
    """Return *text* without terminal colours and control characters."""
    return _UNSEEN.sub("", _ESCAPES.sub("", text))


def _cell(cell: dict[str, Any]) -> NotebookCell:
    count = cell.get("execution_count")
    tags = _list(_dict(cell.get("metadata")).get("tags"))
    return NotebookCell(
        kind={"code": "code", "markdown": "markdown"}.get(str(cell.get("cell_type")), "raw"),
        source=_bounded(_joined(cell.get("source"))),
        count=count if isinstance(count, int) else None,
        tags=tuple(str(tag) for tag in tags[:10]),
        outputs=tuple(_output(_dict(output)) for output in _list(cell.get("outputs"))),
    )


def _output(output: dict[str, Any]) -> NotebookOutput:
    kind = output.get("output_type")
    if kind == "stream":
        return NotebookOutput("text", _bounded(_joined(output.get("text"))))
    if kind == "error":
        lines = [str(line) for line in _list(output.get("traceback"))]
        summary = f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
        return NotebookOutput("error", _bounded("\n".join(lines) or summary))
    return _data(_dict(output.get("data")))


def _data(data: dict[str, Any]) -> NotebookOutput:
    for media_type in _IMAGES:
        if media_type in data:
            return _image(media_type, _joined(data[media_type]))
    if "text/plain" in data:
        return NotebookOutput("text", _bounded(_joined(data["text/plain"])))
    kinds = ", ".join(sorted(str(kind) for kind in data)[:5]) or "nothing"
    return NotebookOutput("note", f"An output of type {kinds}; the report shows it.")


def _image(media_type: str, text: str) -> NotebookOutput:
    compact = "".join(text.split())
    if len(compact) > LARGEST_IMAGE:
        return NotebookOutput("note", "A figure too large to show here; the report has it.")
    try:
        base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return NotebookOutput("note", f"Content that claims to be {media_type} and is not.")
    return NotebookOutput("image", f"data:{media_type};base64,{compact}")


def _bounded(text: str) -> str:
    text = readable(text)
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n… {len(text) - LONGEST_TEXT:,} more characters"


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(str(part) for part in value)
    return "" if value is None else str(value)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
