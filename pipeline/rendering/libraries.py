"""Which libraries a page is drawn with, and which of ours stands for which address elsewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from pipeline.rendering.assets import FROM_PAGE, asset

FILES = {
    "katex": ("katex.min.css", "katex.min.js", "auto-render.min.js"),
    "mermaid": ("mermaid.min.js",),
    "plotly-geo": ("plotly-geo-assets.js",),
    "plotly": ("plotly.min.js",),
    "bokeh": ("bokeh.min.js", "bokeh-widgets.min.js"),
    "bokeh-gl": ("bokeh-gl.min.js",),
    "bokeh-tables": ("bokeh-tables.min.js",),
    "bokeh-mathjax": ("bokeh-mathjax.min.js",),
    "vega": ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js"),
    "widgets": ("widgets-embed.js",),
}
"""Libraries with their files, in the order in which they are loaded."""

_ELSEWHERE = (
    (r"cdn\.plot\.ly/plotly-geo-assets|plotly\.js[^/]*/.*plotly-geo-assets", "plotly-geo"),
    (r"cdn\.plot\.ly/plotly|/plotly\.js[\w.-]*[@/]|plotly(-[\w.]+)?(\.min)?\.js$", "plotly"),
    (r"bokeh-gl[-.]", "bokeh-gl"),
    (r"bokeh-tables[-.]", "bokeh-tables"),
    (r"bokeh-mathjax[-.]", "bokeh-mathjax"),
    (r"bokeh(-widgets|-api)?-?[\d.]*(\.min)?\.js|@bokeh/bokehjs", "bokeh"),
    (r"/vega(-lite|-embed|-lib)?(@|/|\.min|\.js|$)", "vega"),
    (r"@jupyter-widgets/html-manager", "widgets"),
    (r"/katex[@/]", "katex"),
    (r"/mermaid[@/]", "mermaid"),
)
_STYLE = Markup('<link rel="stylesheet" href="{}">')
_SCRIPT = Markup('<script src="{}"{}></script>')
_NOT_NEEDED = re.compile(r"mathjax|require(js)?[./@]", re.IGNORECASE)
"""What packages load beside their own scripts, and a page of ours does without."""


def library_at(url: str) -> str | None:
    """Return which library lies at *url* elsewhere: "" one to do without, None an unknown one."""
    for pattern, library in _ELSEWHERE:
        if re.search(pattern, url, re.IGNORECASE):
            return library
    return "" if _NOT_NEEDED.search(url) else None


@dataclass
class Libraries:
    """The libraries that a page has been found to need while its cells were set.

    *root* is what the addresses begin with.
    """

    root: str = FROM_PAGE
    _at_once: dict[str, bool] = field(default_factory=dict)

    def want(self, library: str, *, at_once: bool = False) -> None:
        """Ask for a library; *at_once*, where scripts of an output use it as the page is read."""
        self._at_once[library] = self._at_once.get(library, False) or at_once

    @property
    def files(self) -> list[str]:
        """Names of the assets that the page needs, in the order in which they are loaded."""
        return [name for library in FILES if library in self._at_once for name in FILES[library]]

    @property
    def tags(self) -> Markup:
        """The elements that load them; what nobody uses at once does not hold the page up."""
        return Markup("\n").join(self._tags())

    def _tags(self) -> Iterator[Markup]:
        for library, names in FILES.items():
            if library not in self._at_once:
                continue
            defer = Markup("") if self._at_once[library] else Markup(" defer")
            for name in names:
                address = self.root + asset(name).address
                is_style = name.endswith(".css")
                yield _STYLE.format(address) if is_style else _SCRIPT.format(address, defer)

    def __contains__(self, library: str) -> bool:
        return library in self._at_once

    def __bool__(self) -> bool:
        return bool(self._at_once)
