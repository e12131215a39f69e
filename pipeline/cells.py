"""Single cells of an executed notebook: what they show, and the error they ended with."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.runner.messages import Failure
from provenance.explain.shown import INJECTED

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_MAX_TITLE = 120
_MAX_TEXT = 2_000
_MAX_SOURCE = 4_000
_MAX_IMAGE = 300_000


def cell_event(notebook: "NotebookNode", index: int, seconds: float) -> dict[str, Any]:
    """Return what a live page shows of a cell that just ended."""
    cell = notebook.cells[index]
    source = str(cell.source)
    return {
        "event": "cell",
        "index": index,
        "total": len(notebook.cells),
        "title": title_of(notebook, index),
        "source": source[:_MAX_SOURCE],
        "seconds": round(seconds, 3),
        "text": "".join(_texts(cell))[-_MAX_TEXT:],
        "image": next(_images(cell), None),
        "error": next((f"{o.ename}: {o.evalue}" for o in cell.outputs if _is_error(o)), None),
    }


def title_of(notebook: "NotebookNode", index: int) -> str:
    """Return what a reader calls the cell: its heading, or what it is for, or how it begins."""
    cell = notebook.cells[index]
    tags = cell.get("metadata", {}).get("tags", [])
    if "parameters" in tags:
        return "Parameters, as the template has them"
    if INJECTED in tags:
        return "Parameters of this run"
    if index and notebook.cells[index - 1].cell_type == "markdown":
        headings = _HEADING.findall(notebook.cells[index - 1].source)
        if headings:
            return str(headings[-1])[:_MAX_TITLE]
    lines = (line.strip() for line in cell.source.splitlines())
    return next(filter(None, lines), "")[:_MAX_TITLE]


def _texts(cell: "NotebookNode") -> Iterator[str]:
    for output in cell.outputs:
        if output.output_type == "stream":
            yield _ANSI.sub("", output.text)
        elif "data" in output and "image/png" not in output.data:
            yield str(output.data.get("text/plain", "")) + "\n"


def _images(cell: "NotebookNode") -> Iterator[str]:
    for output in cell.outputs:
        image = output.get("data", {}).get("image/png")
        if image and len(image) <= _MAX_IMAGE:
            yield "data:image/png;base64," + image.replace("\n", "")


def _is_error(output: "NotebookNode") -> bool:
    return bool(output.output_type == "error")


def error_of(notebook: "NotebookNode") -> Failure | None:
    """Return how the first cell that stopped the notebook failed; None where none did.

    A cell tagged ``raises-exception`` may fail without stopping anything.
    """
    for index, cell in enumerate(notebook.cells):
        if not cell.get("metadata", {}).get("papermill", {}).get("exception"):
            continue
        error = next((output for output in cell.outputs if _is_error(output)), None)
        if error is None:
            return Failure("exception", "The cell failed.", where=f"cell {index + 1}")
        return _failure(error, index)
    return None


def _failure(error: "NotebookNode", index: int) -> Failure:
    where = f"cell {index + 1}"
    traceback = _ANSI.sub("", "\n".join(error.traceback))
    if error.ename == "SystemExit":
        return Failure(
            "exit",
            f"Cell {index + 1} called sys.exit({error.evalue}): the cells after it never ran.",
            where=where,
            hint="A report runs to its end; say what is wrong with provenote.check(False, …).",
        )
    asks = error.ename == "StdinNotImplementedError"
    hint = "Nobody sits at a report: make what it asks for a parameter." if asks else None
    return Failure("exception", f"{error.ename}: {error.evalue}", where, traceback, hint)
