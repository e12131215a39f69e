"""The nbconvert exporter behind report pages.

Importing this module imports nbconvert, which takes more than a second:
``pipeline.rendering.render`` does so when the first page is made.
"""

import base64
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path
from markupsafe import Markup, escape
from nbconvert.exporters.html import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from pipeline.rendering import typeset
from pipeline.rendering.fragments import balanced, set_frames

DISPLAY_PRIORITY = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "application/javascript",
    "text/plain",
    "text/latex",
)
"""Which form of an output is shown. Pictures come before LaTeX, which nothing here sets."""


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
        """Lines of the table of contents; empty below three headings."""
        lines = [line for line in self.headings if line[0] <= 3]
        return lines if len(lines) >= 3 else []


class _MarkdownRenderer(IPythonRenderer):  # type: ignore[misc] # untyped base
    """Markdown cells: our anchors, no file access, no script languages of nbconvert's."""

    def __init__(self, outline: Outline | None, attachments: dict[str, dict[str, str]]) -> None:
        super().__init__(escape=False, embed_images=False, attachments=attachments)
        self.outline = outline

    def heading(self, text: str, level: int, **_: Any) -> str:
        if self.outline is None:
            return f"<h{level}>{text}</h{level}>\n"
        anchor = escape(self.outline.add(level, text))
        link = f'<a class="anchor" href="#{anchor}" aria-label="Link to this section">¶</a>'
        return f'<h{level} id="{anchor}">{text}{link}</h{level}>\n'

    def block_mermaidjs(self, code: str) -> str:
        return f"<pre><code>{escape(code.strip())}</code></pre>"

    def block_math(self, body: str) -> str:
        return f'<span class="math block">{escape(body.strip())}</span>'

    def inline_math(self, body: str) -> str:
        return f'<span class="math">{escape(body.strip())}</span>'

    def table(self, text: str) -> str:
        return f'<div class="scroll"><table>{text}</table></div>\n'

    def _embed_image_or_attachment(self, src: str) -> str:
        name = src.removeprefix("attachment:")
        # A missing attachment is the template's mistake: the page shows a picture's text.
        if name != src and name not in self.attachments:
            return ""
        return str(super()._embed_image_or_attachment(src))


def markdown(source: str, outline: Outline | None, attachments: dict[str, Any]) -> Markup:
    """Return Markdown as HTML; headings get anchors when there is an *outline*."""
    renderer = _MarkdownRenderer(outline, attachments)
    return Markup(balanced(MarkdownWithMath(renderer=renderer).render(source)))  # noqa: S704


@cache
def _lexer(language: str) -> Lexer:
    try:
        # IPython's own lexers are a package that the server has no other use for.
        return get_lexer_by_name("python3" if language.startswith("ipython") else language)
    except ClassNotFound:
        return get_lexer_by_name("text")


_SET = (
    (Token.Comment, "c"),
    (Token.Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "m"),
    (Token.Name.Builtin, "b"),
    (Token.Name.Decorator, "b"),
    (Token.Name.Function, "f"),
    (Token.Name.Class, "f"),
)


@cache
def _token_class(token: Any) -> str:
    return next((name for kind, name in _SET if token in kind), "")


def code(source: str, language: str) -> Markup:
    """Return highlighted source code.

    Only what the theme sets apart is marked: pygments' own formatter marks every token, which
    makes pages four times as heavy.
    """
    tokens = _lexer(language).get_tokens(source)
    runs = groupby(((_token_class(kind), text) for kind, text in tokens), key=itemgetter(0))
    parts = []
    for name, run in runs:
        text = escape("".join(piece for _, piece in run))
        parts.append(f'<span class="{name}">{text}</span>' if name and text.strip() else text)
    return Markup("".join(parts).rstrip())  # noqa: S704


def terminal(text: str) -> Markup:
    """Return a terminal's text as HTML: colours kept, overwritten progress bars dropped."""
    lines = (_last_state(line) if "\r" in line else line for line in text.split("\n"))
    return Markup(ansi2html("\n".join(lines).rstrip()))  # noqa: S704


def _last_state(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


_DASHES = re.compile(r"(?:\x1b\[[\d;]*m)*-{20,}(?:\x1b\[[\d;]*m)*")


def traceback(lines: list[str]) -> Markup:
    """Return a traceback as IPython coloured it, without the rule that it starts with."""
    return terminal("\n".join(line for line in lines if not _DASHES.fullmatch(line)))


def output_html(source: str) -> Markup:
    """Return an HTML output fit to stand in the page."""
    return Markup(balanced(set_frames(source)))  # noqa: S704


def output_script(source: str) -> Markup:
    """Return JavaScript that cannot end its script element early."""
    return Markup(re.sub(r"</(?=script)", r"<\\/", source, flags=re.IGNORECASE))  # noqa: S704


def best_form(data: dict[str, Any]) -> list[str]:
    """Return the form of an output that is shown: one MIME type, or none of an empty one."""
    shown = [mime for mime in DISPLAY_PRIORITY if mime in data]
    return (shown or sorted(data))[:1]


def as_base64(text: str) -> str:
    """Return text as Base64."""
    return base64.b64encode(text.encode()).decode("ascii")


class PageExporter(HTMLExporter):  # type: ignore[misc] # untyped base
    """nbconvert's HTML exporter with provenote's theme, everything escaped by default."""

    def __init__(self, themes: Path) -> None:
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
        return environment

    def default_filters(self) -> Any:
        """Yield the filters of the theme's templates."""
        yield from super().default_filters()
        yield "filter_data_type", best_form
        yield "markdown", markdown
        yield "code", code
        yield "terminal", terminal
        yield "traceback", traceback
        yield "output_html", output_html
        yield "output_script", output_script
        yield "as_base64", as_base64
        for name in ("short", "moment", "duration", "size", "number", "plain_value"):
            yield name, getattr(typeset, name)

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert, without HTMLExporter's second parse of the finished page."""
        resources = self._init_resources(resources)
        page: tuple[str, dict[str, Any]] = TemplateExporter.from_notebook_node(
            self, nb, resources, **kw
        )
        return page
