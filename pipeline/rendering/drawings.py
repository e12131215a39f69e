"""Outputs that libraries draw in the reader's browser: Plotly, Bokeh, Altair, widgets.

What is drawn stands on the page as data; the theme's script draws it with our copy of the
library when a reader comes to it.
"""

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pipeline.drawn import altair_chart
from pipeline.rendering.libraries import Libraries
from pipeline.rendering.sheet import Given, Sheet
from pipeline.rendering.typeset import drawing_json
from pipeline.rendering.typeset import size as size_text
from pipeline.rendering.widgets import VIEW

_LARGEST = 30_000_000
_DRAWING = Markup(
    '<div class="drawn {} scroll" data-draw="{}"{}>'
    '<script type="application/json">{}</script></div>\n'
)
_TOO_LARGE = Markup(
    '<p class="note cut">A figure of {} is not drawn here. <a href="{}">Its data</a></p>\n'
)
_VIEW = Markup('<div class="drawn widget"><script type="{}">{}</script></div>\n')
_NO_WIDGET = Markup(
    '<p class="note">A widget is not shown: {}.</p>\n<pre class="stream">{}</pre>\n'
)
_INLINE = Markup(
    '<div class="rich"></div><script>(function (element) {{\n{}\n}})'
    "(document.currentScript.previousElementSibling)</script>\n"
)
_PLOTLY_HEIGHT = 450
_ON_MAPS = frozenset({"choropleth", "scattergeo"})
_MAP_DATA = re.compile(r'"(?:locations|lat)":')


def plotly(data: Any, given: Given) -> Markup | None:
    """Return a Plotly figure; None where its data are none."""
    if not isinstance(data, Mapping) or not isinstance(data.get("data"), list):
        return None
    layout = data.get("layout")
    height = layout.get("height") if isinstance(layout, Mapping) else None
    height = height if isinstance(height, (int, float)) and height > 0 else _PLOTLY_HEIGHT
    if any(isinstance(one, Mapping) and one.get("type") in _ON_MAPS for one in data["data"]):
        given.sheet.libraries.want("plotly-geo")
    return _drawing("plotly", data, given, int(height))


def vega(data: Any, given: Given) -> Markup | None:
    """Return a chart of Vega or Vega-Lite, as Altair describes it; None where it is none."""
    if not isinstance(data, Mapping):
        return None
    return _drawing("vega", {"spec": data, "options": {}}, given)


def altair(source: str, given: Given) -> Markup | None:
    """Return the chart in the HTML that Altair gives notebooks; None where it is not that."""
    chart = altair_chart(source)
    if chart is None:
        return None
    spec, options = chart
    return _drawing("vega", {"spec": spec, "options": options}, given)


def widget(data: Any, given: Given) -> Markup | None:
    """Return a widget as it stood at the notebook's end, or its other form and why."""
    widgets = given.sheet.widgets
    figure = widgets.figure(data)
    if figure is not None:
        return plotly(figure, given)
    why = widgets.show(data)
    if why is None:
        given.sheet.libraries.want("widgets")
        return _VIEW.format(VIEW, Markup(drawing_json(data)))  # noqa: S704
    told = str(given.output.data.get("text/plain", "A widget"))[:2000]
    return _NO_WIDGET.format(why, told)


def _drawing(library: str, data: Mapping[str, Any], given: Given, height: int = 0) -> Markup:
    text, sheet = drawing_json(data), given.sheet
    if len(text) > _LARGEST or not sheet.has_room_to_draw(len(text)):
        content = text.encode("utf-8", "replace")
        address = sheet.parts.add(given.place, "application/json", content)
        return _TOO_LARGE.format(size_text(len(text)), address)
    sheet.draw(library)
    reserved = Markup(' style="min-height: {}px"').format(height) if height else Markup("")
    content_of_script = Markup(text)  # noqa: S704 - drawing_json made it inert
    return _DRAWING.format(library, library, reserved, content_of_script)


def inline_script(source: str) -> Markup:
    """Return a script of an output, with its element as it finds it in a notebook."""
    # It cannot end its own element early.
    source = re.sub(r"<(?=/script|!--)", r"\\x3c", source, flags=re.IGNORECASE)
    return _INLINE.format(Markup(source))  # noqa: S704 - the page's sandbox holds it


def draws_itself(source: str, libraries: Libraries) -> bool:
    """Tell whether an HTML output holds what a library draws into, and ask for that library."""
    if "plotly-graph-div" in source or "Plotly.newPlot(" in source:
        libraries.want("plotly", at_once=True)
        if _MAP_DATA.search(source):
            libraries.want("plotly-geo", at_once=True)
        return True
    if "data-root-id=" in source:
        return True
    return "vega" in libraries and "vegaEmbed" in source


def is_bokehs_banner(source: str) -> bool:
    """Tell whether an output is Bokeh's word that its script is being loaded."""
    return "bk-notebook-logo" in source and "Loading BokehJS" in source


def bokeh_loads(sheet: Sheet) -> Markup:
    """Ask for Bokeh in place of what loads it; a copy within the notebook is not needed."""
    _want_bokeh(sheet.libraries)
    return Markup("")


def bokeh_draws(source: str, sheet: Sheet) -> None:
    """Ask for the parts of Bokeh that a plot is drawn with."""
    _want_bokeh(sheet.libraries)
    for library, sign in _BOKEH_PARTS:
        if sign.search(source):
            sheet.libraries.want(library, at_once=True)


_BOKEH_PARTS = (
    ("bokeh-gl", re.compile(r'"output_backend":\s*"webgl"')),
    ("bokeh-tables", re.compile(r'"name":\s*"(?:DataTable|DataCube|TableColumn)"')),
    ("bokeh-mathjax", re.compile(r'"name":\s*"(?:TeX|MathML|Ascii)"|\$\$|\\\\[(\[]')),
)


def _want_bokeh(libraries: Libraries) -> None:
    libraries.want("bokeh", at_once=True)
