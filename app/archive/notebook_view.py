"""An executed notebook as cells to read: its JSON, told without running or trusting any of it."""

import json
from dataclasses import dataclass
from typing import Any

from app.pictures import NoPictureError, image_address
from provenance.text import readable

MOST_CELLS = 500
LONGEST_TEXT = 20_000
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
    try:
        return NotebookOutput("image", image_address(media_type, text))
    except NoPictureError as error:
        return NotebookOutput("note", str(error))


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
