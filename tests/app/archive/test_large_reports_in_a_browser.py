"""Reports of a size that nobody wanted: their page can be read and left all the same."""

import base64

import pytest

from tests.app.archive.drawing import keep_report
from tests.app.archive.shown import noise
from tests.pipeline.report_pages import code, display, html, markdown, notebook
from tests.support.waiting import wait_until_true

pytestmark = pytest.mark.browser
HIGHEST = 30_000
"""Pixels of the frame of a report; what is longer scrolls within it."""
HEIGHT = "document.querySelector('iframe[data-report]').getBoundingClientRect().height"


def open_run(page, run):
    """Open a run's page; return the frame of its report, and the addresses that were asked for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"/runs/{run.id}")
    frame = page.frames[1]
    frame.wait_for_load_state("load")
    return frame, asked


def is_usable(page) -> None:
    """Go to the end of the page, and leave it."""
    page.keyboard.press("End")
    page.locator("footer").scroll_into_view_if_needed()
    page.click("header.site a >> nth=0")
    page.wait_for_url("**/")
    assert page.complaints == []


def picture(number: int) -> dict:
    return display(image__png=base64.b64encode(noise(number, 200, 100)).decode())


def test_of_500_figures_those_are_loaded_that_are_looked_at(page, maker):
    cells = [code("plot()", picture(number)) for number in range(500)]
    frame, asked = open_run(page, keep_report(maker, notebook(markdown("# T"), *cells)))
    page.wait_for_timeout(300)
    assert frame.evaluate("document.images.length") == 500
    assert frame.locator("img[loading=lazy][src^='output/']").count() > 250
    assert sum("/output/" in url for url in asked) < 100
    frame.locator("img").last.scroll_into_view_if_needed()
    wait_until_true(frame, "[...document.images].at(-1).naturalWidth > 0")
    is_usable(page)


def test_of_eighty_megabytes_the_beginnings_are_shown(page, maker):
    words = "word " * 25
    cells = [code("print(x)", display(text__plain=f"{words}\n" * 80_000)) for _ in range(8)]
    run = keep_report(maker, notebook(markdown("# T"), *cells))
    frame, asked = open_run(page, run)
    assert frame.evaluate("document.body.innerText.length") < 2_000_000
    assert frame.locator("text=Show the whole output").count() == 8
    assert not any("/output/" in url for url in asked)
    is_usable(page)


@pytest.mark.parametrize(
    "endless",
    [
        "<div style='height: 100000000px'>tall</div>",
        "<div id=t>grows</div><script>let h = 100; setInterval(() => { h *= 1.5;"
        " document.getElementById('t').style.height = `${Math.min(h, 1e9)}px` }, 20)</script>",
        "<div style='height: 200vh'>as tall as two of its own window</div>",
    ],
)
def test_a_report_without_an_end_leaves_the_page_its_own(page, maker, endless: str):
    run = keep_report(maker, notebook(markdown("# T"), code("show()", html(endless))))
    frame, _ = open_run(page, run)
    page.wait_for_timeout(1500)
    assert page.evaluate(HEIGHT) <= HIGHEST + 2
    before = page.evaluate(HEIGHT)
    page.wait_for_timeout(500)
    assert page.evaluate(HEIGHT) == before, "it has come to rest"
    assert frame.locator("text=T").first.is_visible()
    is_usable(page)
