"""Outputs of cells as HTML: the best form of each, cut where it is too long for a page.

Importing this module imports nbconvert.
"""

import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from pipeline.drawn import PLOTLY, VEGA
from pipeline.rendering import drawings, figures
from pipeline.rendering.cuts import Cut, cut_html, cut_text, is_large
from pipeline.rendering.foreign import bring_home
from pipeline.rendering.fragments import balanced, set_frames
from pipeline.rendering.libraries import Libraries
from pipeline.rendering.listing import plain, terminal, traceback_text
from pipeline.rendering.prose import diagram, markdown
from pipeline.rendering.sheet import Given, Sheet
from pipeline.rendering.typeset import size as size_text
from pipeline.rendering.widgets import VIEW

_FROM_PART = "../../../../assets/"
_LARGEST_SCRIPT = 20_000_000
_STORABLE = ("utf-8", "replace")
"""JSON can hold halves of surrogate pairs, which nothing can be stored with."""
_PRE = Markup('<pre class="{}"{}>{}</pre>\n')
_CUT = Markup('<p class="note cut">{} left out here. <a href="{}">Show the whole output</a></p>\n')
_SCRIPT = Markup('<p class="note">A script of {} is left out.</p>\n')
_NO_FORM = Markup('<p class="note">An output of type {} has no form that a page can show.</p>\n')
_FRAME = Markup(
    '<iframe class="isolated" sandbox="allow-scripts" title="Output" srcdoc="{}"></iframe>\n'
)
_ALONE = Markup(
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Output</title>\n'
    "<style>body {{ margin: 1rem; font-family: system-ui, sans-serif }}</style>\n{}\n"
)
_UNSET = re.compile(r"\\begin\{(?:tabular|table|tikzpicture|figure|longtable)\b")
_DELIMITERS = re.compile(r"\$\$|\\\(|\\\[|\\begin\{")
Form = Callable[[Any, Given], Markup | None]


def output(output: NotebookNode, cell: NotebookNode, place: str, sheet: Sheet) -> Markup:
    """Return one output of *cell* as HTML; *place* is ``<cell>/<output>``, for its address."""
    given = Given(output, place, sheet)
    if output.output_type == "stream":
        return _text(output.text, "stream stderr" if output.name == "stderr" else "stream", given)
    if output.output_type == "error":
        return _error(given)
    data = output.get("data") or {}
    output.setdefault("metadata", {})
    cells_alt = (cell.get("metadata") or {}).get("alt")
    if cells_alt and "alt" not in output.metadata:
        output.metadata["alt"] = cells_alt
    for media_type, form in _forms(data):
        shown = form(data[media_type], given)
        if shown is not None:
            return shown
    if not data:
        return Markup("")
    return _NO_FORM.format(sorted(data)[0])


def _forms(data: dict[str, Any]) -> list[tuple[str, Form]]:
    """Return the forms in which a page can show an output, the best one first."""
    found = [(media_type, _FORMS[media_type]) for media_type in _FORMS if media_type in data]
    vega = [(name, drawings.vega) for name in data if VEGA.fullmatch(name)]
    return [*vega, *found]


def _text(source: Any, kind: str, given: Given) -> Markup:
    text = str(source).rstrip()
    cut = cut_text(text)
    if cut is None and given.sheet.has_room(len(text)):
        return _pre(kind, terminal(text))
    cut = cut or Cut("", "", f"{len(text):,} characters")
    note = _left_out(cut, given, "text/plain; charset=utf-8", plain(text).encode(*_STORABLE))
    head = _pre(kind, terminal(cut.head)) if cut.head else Markup("")
    return head + note + (_pre(kind, terminal(cut.tail)) if cut.tail else Markup(""))


def _pre(kind: str, content: Markup) -> Markup:
    label = Markup(' aria-label="standard error"') if kind.endswith("stderr") else Markup("")
    return _PRE.format(kind, label, content)


def _left_out(cut: Cut, given: Given, media_type: str, whole: bytes) -> Markup:
    return _CUT.format(cut.left_out, given.sheet.parts.add(given.place, media_type, whole))


def _error(given: Given) -> Markup:
    output = given.output
    told = traceback_text([str(line) for line in output.get("traceback") or []])
    value = Markup(" <span>{}</span>").format(_short(output.evalue)) if output.evalue else ""
    what = Markup('<p class="what"><b>{}</b>{}</p>\n').format(output.ename, value)
    return Markup('<div class="error" id="error">\n{}{}</div>\n').format(
        what, _text(told, "traceback", given)
    )


def _short(text: str) -> str:
    return text if len(text) <= 2000 else f"{text[:2000]}…"


def _html(source: Any, given: Given) -> Markup | None:
    source = str(source)
    if drawings.is_bokehs_banner(source):
        return Markup("")
    drawn = drawings.altair(source, given)
    if drawn is not None:
        return drawn
    cut = cut_html(source)
    room = given.sheet.has_room_to_draw if is_large(source) else given.sheet.has_room
    if cut is None and room(len(source)):
        return _fragment(source, given)
    cut = cut or Cut("", "", f"{len(source):,} characters of HTML")
    note = _left_out(cut, given, "text/html; charset=utf-8", _whole(source, given.sheet))
    return (_fragment(cut.head, given) if cut.head else Markup("")) + note


def _fragment(source: str, given: Given) -> Markup:
    sheet = given.sheet
    source = bring_home(source, sheet.libraries)
    if given.told("text/html").get("isolated"):
        return _FRAME.format(source)
    kind = "rich scroll"
    if drawings.draws_itself(source, sheet.libraries):
        kind = "rich drawn scroll"
    elif _DELIMITERS.search(source):
        sheet.draw("katex")
        kind = "rich tex scroll"
    return Markup('<div class="{}">{}</div>\n').format(kind, _as_html(source))


def _as_html(source: str) -> Markup:
    return Markup(balanced(set_frames(source)))  # noqa: S704 - the page's sandbox holds it


def _whole(source: str, sheet: Sheet) -> bytes:
    """Return an HTML output as a page of its own, with the libraries that draw it."""
    libraries = Libraries(_FROM_PART)
    source = bring_home(source, libraries)
    drawings.draws_itself(source, libraries)
    sheet.beside.update(libraries.files)
    return (_ALONE.format(libraries.tags) + Markup(source)).encode(*_STORABLE)  # noqa: S704


def _markdown(source: Any, given: Given) -> Markup | None:
    text = str(source)
    if cut_text(text) is not None or not given.sheet.has_room(len(text)):
        return _text(text, "stream", given)
    return Markup('<div class="prose">{}</div>\n').format(markdown(text, given.sheet.libraries))


def _latex(source: Any, given: Given) -> Markup | None:
    source = str(source)
    if cut_text(source) is not None or _UNSET.search(source):
        # It is for a program that sets whole pages: another form of it will do.
        return _text(source, "stream", given) if len(given.output.data) == 1 else None
    given.sheet.draw("katex")
    return Markup('<div class="latex scroll">{}</div>\n').format(source)


def _mermaid(source: Any, given: Given) -> Markup | None:
    given.sheet.draw("mermaid")
    return diagram(str(source), given.sheet.libraries)


def _javascript(source: Any, given: Given) -> Markup | None:
    source = str(source)
    if "application/vnd.bokehjs_load.v0+json" in given.output.data:
        return drawings.bokeh_loads(given.sheet)
    if "application/vnd.bokehjs_exec.v0+json" in given.output.data:
        drawings.bokeh_draws(source, given.sheet)
    if len(source) > _LARGEST_SCRIPT:
        return _SCRIPT.format(size_text(len(source)))
    return drawings.inline_script(source)


def _plain(source: Any, given: Given) -> Markup | None:
    return _text(source, "stream", given)


_FORMS: dict[str, Form] = {
    PLOTLY: drawings.plotly,
    VIEW: drawings.widget,
    "text/html": _html,
    "text/markdown": _markdown,
    "text/vnd.mermaid": _mermaid,
    "text/latex": _latex,
    **figures.FORMS,
    "application/javascript": _javascript,
    "text/plain": _plain,
}
"""How each form of an output is shown; the first one that an output has is taken."""
