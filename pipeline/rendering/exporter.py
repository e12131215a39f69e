"""The nbconvert exporter behind report pages.

Importing this module imports nbconvert: ``pipeline.rendering.render`` does so when the first
page is made.
"""

from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path
from markupsafe import Markup
from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode

from pipeline.rendering import typeset
from pipeline.rendering.listing import code
from pipeline.rendering.outputs import output
from pipeline.rendering.prose import markdown

_VERBATIM = {"style": "style.css", "script": "script.js", "drawing": "draw.js"}
_SHOWN = dict.fromkeys(("include_code", "include_markdown", "include_raw", "include_unknown"), True)


class PageExporter(HTMLExporter):  # type: ignore[misc] # untyped base
    """nbconvert's HTML exporter with provenote's theme, everything escaped by default."""

    def __init__(self, themes: Path) -> None:
        self._theme = themes / "theme"
        super().__init__(
            template_name="theme",
            extra_template_basedirs=[str(themes)],
            template_data_paths=jupyter_path("nbconvert", "templates"),
            embed_images=False,
            default_preprocessors=[],
        )

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.autoescape = True
        # They are no templates: to read them as such takes longer than most reports.
        for name, file in _VERBATIM.items():
            text = (self._theme / file).read_text(encoding="utf-8").strip()
            environment.globals[name] = Markup(text)  # noqa: S704 - files of ours
        return environment

    def default_filters(self) -> Any:
        """Yield the filters of the theme's templates."""
        yield from super().default_filters()
        yield "markdown", markdown
        yield "code", code
        yield "output", output
        for name in ("short", "moment", "duration", "size", "number", "plain_value"):
            yield name, getattr(typeset, name)

    def page(self, notebook: NotebookNode, page: dict[str, Any]) -> str:
        """Return the page of *notebook*, which is ours alone: nothing of it need be copied.

        The exporter's own way copies notebook and resources first, and parses the finished page.
        """
        resources = {"page": page, "global_content_filter": _SHOWN, "raw_mimetypes": [""]}
        html: str = self.template.render(nb=notebook, resources=resources)
        return html.lstrip()

    def prepare(self) -> None:
        """Compile the templates."""
        for name in ("index.html.j2", "colophon.html.j2", "base/null.j2"):
            self.environment.get_template(name)
