"""What the page of a report says, as plain text: its prose and its outputs, without the code."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.markup import pieces
from provenance.explain.shown import Output, outputs_of, source_of, template_cells
from provenance.text import readable

LONGEST = 100_000
"""Characters of a page that can be found."""
LONGEST_LINE = 300
_PARAGRAPHS = re.compile(r"\n\s*\n")
_FORMS = ("text/html", "text/markdown", "text/plain", "text/latex")
"""The first of these that an output has is what it says."""
_MARKS = re.compile(r"^#{1,6} +|\*\*|`+", re.MULTILINE)
"""Of Markdown, what stands for emphasis, headings and code."""
_SPACE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")


def page_words(notebook: bytes) -> str:
    """Return what the page of an executed *notebook* says, cut after 100,000 characters.

    What is no notebook says nothing.
    """
    try:
        told = _within(LONGEST, _told(json.loads(notebook)))
    except (ValueError, RecursionError):
        return ""
    text = readable("\n".join(told))
    return _LINES.sub("\n", _SPACE.sub(" ", text)).strip()[:LONGEST]


def page_about(notebook: bytes) -> str:
    """Return what the first Markdown cell says of the report: its heading and first paragraph.

    They are a line each, without marks; either may be missing, and what is no notebook says
    nothing.
    """
    try:
        cells = template_cells(json.loads(notebook))
        first = next((cell for _, cell in cells if cell.get("cell_type") == "markdown"), {})
    except (ValueError, RecursionError):
        return ""
    text = source_of(first)[:LONGEST].lstrip()
    heading, _, rest = text.partition("\n") if text.startswith("#") else ("", "", text)
    paragraphs = (
        _line(part) for part in _PARAGRAPHS.split(rest) if not part.lstrip().startswith("#")
    )
    told = (_line(heading), next(filter(None, paragraphs), ""))
    return "\n".join(line for line in told if line)


def _line(text: str) -> str:
    """Return *text* on one line, cut where it is too long to be a description."""
    line = " ".join(readable(_prose(text)).split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def _within(most: int, texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text[:most]
        most -= len(text)
        if most <= 0:
            return


def _told(notebook: Any) -> Iterator[str]:
    for _, cell in template_cells(notebook):
        if cell.get("cell_type") == "markdown":
            yield _prose(source_of(cell))
        yield from map(_said, outputs_of(cell.get("outputs")))


def _said(output: Output) -> str:
    form = next((form for form in _FORMS if form in output.forms), None)
    if form is None:
        return ""
    text = output.forms[form]
    if form == "text/markdown":
        return _prose(text)
    return _without_markup(text) if form == "text/html" else text


def _prose(text: str) -> str:
    return _MARKS.sub("", _without_markup(text))


def _without_markup(text: str) -> str:
    if "<" not in text:
        return text
    return "".join(piece.text or " " for piece in pieces(text[: 20 * LONGEST]))
