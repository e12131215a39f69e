"""Reports that libraries draw, in a real Chromium: in their sandbox, and nothing from elsewhere."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.exports import standalone_page
from tests.app.archive.drawing import drawn, keep_report
from tests.app.archive.shown import noise
from tests.pipeline.report_pages import code, display, html, markdown, notebook
from tests.support.waiting import wait_until_true

pytestmark = pytest.mark.browser

MATHEMATICS = notebook(
    markdown(
        "# On $a^2$\n\n## One $x$\n\n$\\frac{a}{b}$, $$\\int_0^1 x\\,dx$$ and $5 or $6.\n\n"
        "\\begin{align}a &= b\\\\ c &= d\\end{align}\n\n## Bad\n\n$\\frac{$ $\\nosuchthing$\n\n"
        '## Diagram\n\n```mermaid\ngraph LR; a["Ünï"]-->b\n```\n\n```mermaid\nno such --\n```\n'
    ),
    code("1", display(text__latex="\\undefined{$"), html("<p>$$x^2$$ costs $5, not $6</p>")),
)
DRAWN = {
    "plotly": (4, ".js-plotly-plot"),
    "altair": (3, "svg.marks"),
    "widgets": (3, ".widget.drawn .jupyter-widgets:not(.jupyter-widgets *), .js-plotly-plot"),
    "sympy": (5, ".latex .katex, .prose .katex"),
}
"""By notebook how many drawings there are, and what each of them is."""


@dataclass
class Watched:
    """A page that is watched: what it asked for, and what was refused or went wrong."""

    page: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.asked} - {""}


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield Watched(context.new_page())
    context.close()


def open_report(watched: Watched, address: str, run: Any) -> Any:
    watched.page.goto(f"{address}/runs/{run.id}")
    report = watched.page.frames[1]
    report.wait_for_load_state("load")
    return report


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_what_packages_leave_in_a_notebook_is_drawn_in_the_sandbox(
    watched, address, maker, name: str
):
    report = open_report(watched, address, keep_report(maker, drawn(name)))
    count, selector = DRAWN[name]
    report.evaluate("drawAll()")
    wait_until_true(report, f"document.querySelectorAll({selector!r}).length === {count}")
    assert report.locator(".note").count() == 0
    assert watched.complaints == []
    assert watched.hosts() == {urlsplit(address).netloc}
    assert report.evaluate("origin") == "null"


def test_a_figure_as_html_that_is_too_large_for_the_page_is_drawn_where_it_lies_whole(
    watched, address, maker, monkeypatch: pytest.MonkeyPatch
):
    data = f'[{{"y": [1, 3, 2]}} /* {"x" * 21_000_000} */]'
    figure = (
        f'<div class="plotly-graph-div" id="f"></div><script>Plotly.newPlot("f", {data})</script>'
    )
    run = keep_report(maker, notebook(code("1", html(figure))))
    report = open_report(watched, address, run)
    place = report.get_attribute("a:text('Show the whole output')", "href")
    watched.page.goto(f"{address}/runs/{run.id}/{place}")
    watched.page.wait_for_selector(".js-plotly-plot .main-svg")
    assert watched.complaints == []


def test_bokeh_draws_plots_tables_and_sliders(watched, address, maker):
    report = open_report(watched, address, keep_report(maker, drawn("bokeh")))
    wait_until_true(report, "Bokeh.documents.length === 2 && Bokeh.documents.every(d => d.is_idle)")
    seen = """() => {
      const found = [];
      const look = (root) => root.querySelectorAll("*").forEach((one) => {
        const drawn = one.matches("canvas, .slick-row, .noUi-handle");
        if (drawn) found.push(one.tagName + one.className);
        if (one.shadowRoot) look(one.shadowRoot);
      });
      look(document);
      return found;
    }"""
    found = " ".join(report.evaluate(seen))
    assert "CANVAS" in found
    assert "slick-row" in found
    assert "noUi-handle" in found
    assert "Loading BokehJS" not in report.inner_text("body")
    assert watched.complaints == []
    assert watched.hosts() == {urlsplit(address).netloc}


def test_mathematics_and_diagrams_are_set_and_what_cannot_be_is_readable(watched, address, maker):
    report = open_report(watched, address, keep_report(maker, MATHEMATICS))
    report.evaluate("drawAll()")
    assert report.locator("h1 .katex").count() == 1
    assert report.locator(".contents .katex").count() == 1
    assert report.locator(".katex-display").count() == 3
    assert "$5 or $6" in report.inner_text("article")
    assert "costs $5, not $6" in report.inner_text("article")
    assert "\\frac{" in report.inner_text(".katex-error")
    assert "\\undefined{$" in report.inner_text("article")
    assert report.locator(".diagram svg .node").count() == 2
    assert "no such --" in report.inner_text(".diagram >> nth=1")
    assert "cannot be drawn" in report.inner_text(".diagram >> nth=1")
    assert watched.complaints == []


def test_a_plot_far_below_is_drawn_when_a_reader_comes_to_it(watched, address, maker):
    figure = {"data": [{"type": "bar", "y": [1, 2]}], "layout": {}}
    far = display(**{"application/vnd.plotly.v1+json": figure})
    run = keep_report(maker, notebook(markdown("# T\n\n" + "word\n\n" * 300), code("1", far)))
    report = open_report(watched, address, run)
    watched.page.wait_for_timeout(300)
    assert report.locator(".js-plotly-plot").count() == 0
    watched.page.locator("iframe[data-report]").evaluate("one => scrollTo(0, one.offsetHeight)")
    report.wait_for_selector(".js-plotly-plot svg")


def test_figures_are_loaded_when_they_are_looked_at_and_whole_outputs_on_a_click(
    watched, address, maker
):
    cells = [
        code("1", display(image__png=base64.b64encode(noise(shade, 600, 400)).decode()))
        for shade in range(30)
    ]
    last = code("print(x)", display(text__plain="first\n" + "word\n" * 5_000))
    run = keep_report(maker, notebook(markdown("# T"), *cells, last))
    report = open_report(watched, address, run)
    watched.page.wait_for_timeout(300)
    figures = [url for url in watched.asked if "/output/" in url]
    assert len(figures) < 24
    end = "document.documentElement.scrollHeight"
    before = watched.page.evaluate(end)
    report.locator("img").last.scroll_into_view_if_needed()
    wait_until_true(report, "[...document.images].at(-1).naturalWidth === 600")
    assert watched.page.evaluate(end) == before
    report.click("text=Show the whole output")
    wait_until_true(watched.page, "frames.length === 1")
    report.wait_for_url("**/output/**")
    assert report.inner_text("body").count("word") == 5_000
    assert watched.complaints == []


@pytest.mark.parametrize("name", ["bokeh", "widgets"])
def test_a_standalone_file_draws_from_disk_without_a_network(
    watched, app, maker, tmp_path: Path, name: str
):
    run = keep_report(maker, drawn(name))
    file = tmp_path / "report.html"
    file.write_bytes(standalone_page(app.extensions["provenote"], run))
    watched.page.context.set_offline(True)
    watched.page.goto(file.as_uri())
    watched.page.evaluate("globalThis.drawAll?.()")
    drawing = ".js-plotly-plot, svg.marks, .jupyter-widgets, [data-root-id] > *"
    watched.page.wait_for_selector(drawing)
    assert watched.complaints == []
    asked = [url for url in watched.asked if not url.startswith(("data:", "blob:"))]
    assert asked == [file.as_uri()]
