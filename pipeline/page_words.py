"""What the page of a report says, as plain text: its prose and its outputs, without the code."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.markup import pieces

LONGEST = 100_000
"""Characters of a page that can be found."""
_FORMS = ("text/html", "text/markdown", "text/plain", "text/latex")
"""The first of these that an output has is what it says."""
_TERMINAL = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")
_MARKS = re.compile(r"^#{1,6} +|\*\*|`+", re.MULTILINE)
"""Of Markdown, what stands for emphasis, headings and code."""
_SPACE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")


def page_words(notebook: bytes) -> str:
    """Return what the page of an executed *notebook* says, cut after 100,000 characters.

    What is no notebook says nothing.
    """
    try:
        cells = json.loads(notebook)["cells"]
        told = list(_within(LONGEST, _told(cells)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    text = _TERMINAL.sub(" ", "\n".join(told))
    return _LINES.sub("\n", _SPACE.sub(" ", text)).strip()[:LONGEST]


def _within(most: int, texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text[:most]
        most -= len(text)
        if most <= 0:
            return


def _told(cells: list[dict[str, Any]]) -> Iterator[str]:
    for cell in cells:
        if cell["cell_type"] == "markdown":
            yield _prose(_joined(cell["source"]))
        for output in cell.get("outputs", ()):
            yield _said(output)


def _said(output: dict[str, Any]) -> str:
    match output["output_type"]:
        case "stream":
            return _joined(output["text"])
        case "error":
            return f"{output['ename']}: {output['evalue']}"
    data = output.get("data", {})
    form = next((form for form in _FORMS if form in data), None)
    if form is None:
        return ""
    text = _joined(data[form])
    if form == "text/markdown":
        return _prose(text)
    return _without_markup(text) if form == "text/html" else text


def _prose(text: str) -> str:
    return _MARKS.sub("", _without_markup(text))


def _joined(text: Any) -> str:
    return "".join(text)


def _without_markup(text: str) -> str:
    if "<" not in text:
        return text
    return "".join(piece.text or " " for piece in pieces(text[: 20 * LONGEST]))
