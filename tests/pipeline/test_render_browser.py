"""Report pages in a real Chromium: sandboxed, without a network, light, dark and printed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.report_pages import (
    ATTACK,
    HOSTILE,
    code,
    display,
    html,
    markdown,
    raised,
    report,
)
from tests.support.waiting import wait_until_true

HOST = """<!doctype html><iframe id="frame" sandbox="allow-scripts" style="width: 700px"></iframe>
<script>said = []; addEventListener("message", (event) => said.push([event.origin, event.data]));
</script>"""

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 900, "height": 800})
    yield context.new_page()
    context.close()


LONG = (
    markdown("# Departures\n\nText"),
    markdown("## One"),
    code("x = 1", html("<p>out</p>")),
    markdown("## Two"),
    code("y = 2"),
    markdown("## Three\n\n" + "word " * 2000),
)


def framed(page: Any, content: str) -> Any:
    page.set_content(HOST)
    page.evaluate("content => { frame.srcdoc = content }", content)
    wait_until_true(page, "said.some(([, data]) => data.provenote === 'height')")
    return page.frames[1]


def heights(page: Any) -> list[int]:
    return [data["value"] for _, data in page.evaluate("said") if data["provenote"] == "height"]


def test_a_sandboxed_report_tells_its_height_when_it_loads_and_when_it_grows(page: Any) -> None:
    inner = framed(page, report(*LONG))
    assert {origin for origin, _ in page.evaluate("said")} == {"null"}
    before = heights(page)[-1]
    assert before == pytest.approx(inner.evaluate("document.body.offsetHeight"), abs=1)
    page.evaluate("height => { frame.style.height = height + 'px' }", before)
    inner.click("#code-switch")
    wait_until_true(page, f"said.at(-1)[1].value > {before}")
    assert inner.evaluate("[...document.querySelectorAll('details')].every(d => d.open)")
    inner.click("#code-switch")
    wait_until_true(page, f"said.at(-1)[1].value === {before}")


def test_links_within_a_framed_report_tell_where_they_lead(page: Any) -> None:
    inner = framed(page, report(*LONG))
    inner.click("nav a[href='#three']")
    wait_until_true(page, "said.some(([, data]) => data.provenote === 'scroll' && data.value > 0)")


def test_the_embedding_page_may_choose_light_or_dark(page: Any) -> None:
    inner = framed(page, report(*LONG))
    paper = "getComputedStyle(document.body).backgroundColor"
    light = inner.evaluate(paper)
    page.evaluate("frame.contentWindow.postMessage({provenote: 'theme', value: 'dark'}, '*')")
    wait_until_true(inner, f"{paper} !== '{light}'")
    page.evaluate("frame.contentWindow.postMessage({provenote: 'theme', value: 'x'}, '*')")
    wait_until_true(inner, f"{paper} === '{light}'")


def test_a_page_opens_without_asking_for_anything_and_without_an_error(
    page: Any, tmp_path: Path
) -> None:
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    file = tmp_path / "report.html"
    file.write_text(report(*LONG, code("z", raised()), verdict="error", error="KeyError"))
    page.goto(file.as_uri())
    assert requests == [file.as_uri()]
    assert errors == []
    page.click("button.copy")
    assert page.inner_text("button.copy") in {"Copied", "Selected"}


def test_hostile_values_run_nothing(page: Any, tmp_path: Path) -> None:
    opened: list[str] = []

    def note(dialog: Any) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    file = tmp_path / "report.html"
    file.write_text(report(code("1", raised(ATTACK, ATTACK)), record={"x": ATTACK}, **HOSTILE))
    page.goto(file.as_uri())
    page.wait_for_timeout(200)
    assert opened == []


def test_the_page_reads_without_scripts(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report(*LONG))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert not page.is_visible("#code-switch")
    assert not page.is_visible("details pre")
    page.click("details summary >> nth=0")
    assert page.is_visible("details pre >> nth=0")
    context.close()


CONTRAST = """() => {
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
  };
  const poor = [];
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility({opacityProperty: true})) continue;
    const [a, b] = [numbers(getComputedStyle(e).color), behind(e)].map(luminance);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("verdict", ["passed", "failed", "error"])
def test_text_has_contrast_enough(browser: Any, scheme: str, verdict: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    source = "import os\n\n@cache\ndef f(x: int = 1) -> str:\n    return 'a'  # why"
    checks = ((True, "a"), (False, "b"))
    page.set_content(
        report(*LONG, code(source, raised()), verdict=verdict, checks=checks, dirty="ab", error="e")
    )
    assert page.evaluate(CONTRAST) == []
    context.close()


def test_nothing_is_wider_than_a_narrow_screen(browser: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700})
    page = context.new_page()
    wide = html("<table class='dataframe'><tr>" + "<td>some long words</td>" * 40 + "</tr></table>")
    page.set_content(report(*LONG, code("x" * 300, wide, raised("E", "y" * 300))))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_nothing_that_is_drawn_is_cut_by_the_end_of_a_printed_page(page: Any) -> None:
    page.emulate_media(media="print")
    plot = "<div class='plotly-graph-div'></div>"
    page.set_content(report(*LONG, code("1", html(plot), display(image__png="aGVs"), raised())))
    for selector in (".drawn", "figure", ".error", ".colophon section"):
        broken = f"getComputedStyle(document.querySelector({selector!r})).breakInside"
        assert page.evaluate(broken) == "avoid", selector


def test_print_is_light_and_leaves_the_controls_out(page: Any) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.set_content(report(*LONG))
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.is_visible("#code-switch")
    assert not page.is_visible("details summary >> nth=0")
    assert page.is_visible(".colophon")


@pytest.mark.parametrize("foreign", ["x", "constructor", ""])
def test_html_that_names_no_library_of_ours_keeps_nothing_behind_it_from_being_drawn(
    page: Any, foreign: str
) -> None:
    figure = display(**{"application/vnd.plotly.v1+json": {"data": []}})
    outputs = html(f'<p data-draw="{foreign}">theirs</p>'), figure
    page.set_content(report(markdown("# T"), code("1", *outputs)))
    page.evaluate("async () => { await drawAll(); }")
    assert page.text_content(f'[data-draw="{foreign}"]') == "theirs"
    # The libraries lie beside the page, which is out of reach here; but it was tried.
    assert "This cannot be drawn: Plotly" in page.text_content('[data-draw="plotly"]')
