"""Executed notebooks as pages: the report with its colophon."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipeline.rendering.colophon import Colophon
from pipeline.rendering.theme import THEMES
from pipeline.rendering.typeset import script_json, verdict_mark
from provenance.errors import InvalidInputError
from provenance.pages import Part

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from pipeline.rendering.exporter import PageExporter
    from pipeline.rendering.sheet import Sheet

_TOO_DEEP = "The notebook is nested too deeply to be shown."


class NotebookError(InvalidInputError):
    """Raised when bytes are not a Jupyter notebook that can be shown."""

    code = "notebook"


@dataclass(frozen=True)
class Rendered:
    """A page, and what it leads to."""

    html: str
    parts: tuple[tuple[Part, bytes], ...]
    """Figures and whole outputs that lie beside the page."""
    assets: tuple[str, ...]
    """Names of the libraries' files that the page, or what lies beside it, is drawn with."""


def render_report(notebook_json: bytes, colophon: Colophon, record: dict[str, object]) -> Rendered:
    """Return the report as an HTML page.

    *record* is embedded as JSON-LD, so that a downloaded page still says how it came to be.
    Raises NotebookError when *notebook_json* is no notebook.
    """
    notebook = _read(notebook_json)
    own_title = _take_title(notebook)
    # A title that the manifest gives wins; the template's own then stands below it.
    given = colophon.title not in ("", colophon.report, own_title)
    given = given and _plain(colophon.title) != own_title
    page = {
        "title": colophon.title if given or not own_title else own_title,
        "subtitle": own_title if given else "",
        "colophon": colophon,
        "mark": verdict_mark(colophon.verdict),
        "failed": [message for ok, message in colophon.checks if not ok],
        "record": script_json(record),
    }
    return _convert(notebook, page)


def _convert(notebook: "NotebookNode", page: dict[str, Any]) -> Rendered:
    from markupsafe import Markup

    sheet = _sheet(notebook)
    page["record"] = Markup(page["record"])  # noqa: S704 - script_json made it inert
    page["sheet"] = sheet
    page["mathematical"] = _MATHEMATICS.search(page["title"]) is not None
    if page["mathematical"]:
        sheet.draw("katex")
    page["has_error"] = any(_failed(cell) for cell in notebook.cells)
    try:
        html = _exporter().page(notebook, page)
    except RecursionError:
        raise NotebookError(_TOO_DEEP) from None
    # JSON can hold halves of surrogate pairs, which no page can be stored with.
    html = html.encode("utf-8", "replace").decode("utf-8")
    return Rendered(html, tuple(sheet.parts.found), sheet.assets)


def _sheet(notebook: "NotebookNode") -> "Sheet":
    from pipeline.rendering.sheet import Sheet
    from pipeline.rendering.widgets import Widgets

    # The exporter copies all metadata; what widgets and papermill keep there can be large.
    widgets = Widgets.of(notebook.get("metadata", {}))
    notebook.get("metadata", {}).pop("widgets", None)
    return Sheet(widgets, _language(notebook))


def warm_up() -> None:
    """Import what sets pages, compile the templates, and load the lexer of Python."""
    from pipeline.rendering.listing import code

    _exporter().prepare()
    code("x = 1", "python")


@cache
def _exporter() -> "PageExporter":
    from pipeline.rendering.exporter import PageExporter

    return PageExporter(THEMES)


def _read(notebook_json: bytes) -> "NotebookNode":
    import nbformat.reader

    try:
        notebook = nbformat.convert(nbformat.reader.reads(notebook_json.decode()), 4)
        notebook.cells = [_tidy(cell) for cell in notebook.cells if not _is_papermills(cell)]
    except RecursionError:
        raise NotebookError(_TOO_DEEP) from None
    except (nbformat.ValidationError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise NotebookError(
            f"This is not a Jupyter notebook: {error}.", "Expected an .ipynb file of format 4."
        ) from error
    return notebook


def _tags(cell: "NotebookNode") -> list[str]:
    tags = cell.get("metadata", {}).get("tags", [])
    return tags if isinstance(tags, list) else []


def _is_papermills(cell: "NotebookNode") -> bool:
    # The page's own verdict line leads to the error; papermill's banners say it again.
    return "papermill-error-cell-tag" in _tags(cell)


def _tidy(cell: "NotebookNode") -> "NotebookNode":
    """Fill what a hand-made cell may lack, and join streams that were cut in pieces."""
    cell.setdefault("metadata", {})
    if cell.cell_type != "code":
        return cell
    cell.setdefault("execution_count", None)
    cell.outputs = list(_joined(cell.get("outputs") or []))
    return cell


def _joined(outputs: list["NotebookNode"]) -> Iterator["NotebookNode"]:
    for (kind, _), run in groupby(outputs, key=lambda one: (one.output_type, one.get("name"))):
        if kind != "stream":
            yield from run
            continue
        pieces = list(run)
        pieces[0].text = "".join(one.text for one in pieces)
        yield pieces[0]


def _failed(cell: "NotebookNode") -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


_MATHEMATICS = re.compile(r"\$[^\s$][^$]*\$(?!\d)")
_TITLE = re.compile(r"\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|$)|\s*(\S.*)\n=+[ \t]*(?:\n|$)")


def _take_title(notebook: "NotebookNode") -> str:
    """Take the first heading out of a first Markdown cell: the page sets it as its title."""
    if not notebook.cells or notebook.cells[0].cell_type != "markdown":
        return ""
    cell = notebook.cells[0]
    found = _TITLE.match(cell.source)
    if not found:
        return ""
    cell.source = cell.source[found.end() :].lstrip("\n")
    return _plain(found[1] or found[2])


def _plain(heading: str) -> str:
    """Return a heading's text without Markdown's emphasis and code marks."""
    return re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", heading).strip()


def _language(notebook: "NotebookNode") -> str:
    metadata = notebook.get("metadata", {})
    info = metadata.get("language_info", {})
    kernel = metadata.get("kernelspec", {})
    return str(info.get("pygments_lexer") or info.get("name") or kernel.get("language") or "python")
