"""Markdown as HTML: anchors for headings, mathematics and diagrams marked for those who set them.

Importing this module imports nbconvert.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from pipeline.rendering import typeset
from pipeline.rendering.fragments import balanced
from pipeline.rendering.libraries import Libraries

_SET = frozenset(
    {
        *("align", "alignat", "aligned", "array", "cases", "CD", "equation", "gather", "gathered"),
        *("matrix", "pmatrix", "bmatrix", "vmatrix", "smallmatrix", "split"),
    }
)
"""Environments of LaTeX that are mathematics by themselves; others stay as they are written."""


MOST_LINES = 40
"""Lines of a table of contents that has the headings of sections below sections as well."""


@dataclass
class Outline:
    """Headings of the page being made, and the anchors already taken."""

    headings: list[tuple[int, str, Markup]] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)

    def add(self, level: int, html: str) -> str:
        """Note a heading and return its anchor, unique on the page."""
        text = Markup(re.sub(r"<a\b[^>]*>|</a>", "", html))  # noqa: S704
        name = typeset.slug(text.striptags())
        self.taken[name] += 1
        if self.taken[name] > 1:
            name = f"{name}-{self.taken[name]}"
        self.headings.append((level, name, text))
        return name

    @property
    def contents(self) -> list[tuple[int, str, Markup]]:
        """Lines of the table of contents; empty below three headings.

        Of a long report only the upper headings, so that its contents do not fill screens.
        """
        lines = [line for line in self.headings if line[0] <= 3]
        if len(lines) > MOST_LINES:
            upper = [line for line in lines if line[0] <= 2]
            lines = upper if len(upper) >= 3 else lines[:MOST_LINES]
        return lines if len(lines) >= 3 else []


class _Renderer(IPythonRenderer):  # type: ignore[misc] # untyped base
    """Markdown cells: our anchors, no file access, no script languages of nbconvert's."""

    def __init__(
        self, outline: Outline | None, attachments: dict[str, dict[str, str]], libraries: Libraries
    ) -> None:
        super().__init__(escape=False, embed_images=False, attachments=attachments)
        self.outline = outline
        self.libraries = libraries

    def heading(self, text: str, level: int, **_: Any) -> str:
        if self.outline is None:
            return f"<h{level}>{text}</h{level}>\n"
        anchor = escape(self.outline.add(level, text))
        link = f'<a class="anchor" href="#{anchor}" aria-label="Link to this section">¶</a>'
        return f'<h{level} id="{anchor}">{text}{link}</h{level}>\n'

    def block_mermaidjs(self, code: str) -> str:
        return diagram(code, self.libraries)

    def block_math(self, body: str) -> str:
        self.libraries.want("katex")
        return f'<span class="math block">{escape(body.strip())}</span>'

    def inline_math(self, body: str) -> str:
        if body[-1:].isspace() and not body[:1].isspace():
            return f"${escape(body)}$"  # "$5 and $10" speaks of money
        self.libraries.want("katex")
        return f'<span class="math">{escape(body.strip())}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        source = rf"\begin{{{name}}}{body}\end{{{name}}}"
        return self.block_math(source) if name.rstrip("*") in _SET else str(escape(source))

    def table(self, text: str) -> str:
        return f'<div class="scroll"><table>{text}</table></div>\n'

    def _embed_image_or_attachment(self, src: str) -> str:
        name = src.removeprefix("attachment:")
        # A missing attachment is the template's mistake: the page shows a picture's text.
        if name != src and name not in self.attachments:
            return ""
        return str(super()._embed_image_or_attachment(src))


def diagram(source: str, libraries: Libraries) -> Markup:
    """Return a diagram in Mermaid's language: its source, in whose place it is drawn."""
    libraries.want("mermaid")
    shell = Markup(
        '<div class="drawn diagram" data-draw="mermaid"><pre><code>{}</code></pre></div>'
    )
    return shell.format(source.strip())


def markdown(
    source: str,
    libraries: Libraries,
    outline: Outline | None = None,
    attachments: dict[str, Any] | None = None,
) -> Markup:
    """Return Markdown as HTML; headings get anchors when there is an *outline*."""
    renderer = _Renderer(outline, attachments or {}, libraries)
    return Markup(balanced(MarkdownWithMath(renderer=renderer).render(source)))  # noqa: S704
