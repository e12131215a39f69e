"""The film strip and the figures of a run, as readers see them."""

import pytest

from tests.app.archive.maker import Maker
from tests.app.archive.shown import TABLE, picture, png, shown_run
from tests.support.browsing import TOO_WIDE
from tests.support.waiting import wait_until_true

pytestmark = pytest.mark.browser
DRAWN = "[...document.querySelectorAll('main img')].every((one) => one.naturalWidth > 0)"
SHIFTS = """() => new Promise((tell) => {
  let moved = 0;
  new PerformanceObserver((seen) => {
    for (const entry of seen.getEntries()) moved += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => tell(moved), 400);
})"""
COOKIE = "() => { try { return document.cookie } catch { return 'none' } }"
EVIL_SVG = """<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60' onload='alert(1)'>
<script>document.title = 'evil'; alert(2)</script><rect width='90' height='60'/></svg>"""


@pytest.fixture
def runs(maker: Maker):
    project = maker.project()
    made = []
    for number in range(14):
        evaluation = maker.evaluation(maker.commit(project, number))
        shown = (picture(png(number // 5 * 90)), {"text/html": TABLE})
        made.append(shown_run(maker, evaluation, *shown))
    return made


@pytest.mark.parametrize("width", [390, 1280])
def test_the_strip_begins_at_the_newest_commit_and_nothing_moves(page, runs, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/projects/flights/reports/sanity_check")
    page.locator("#film").scroll_into_view_if_needed()
    strip = page.locator(".film")
    assert strip.locator("tbody").count() == 2
    assert strip.locator("tbody").first.locator("a.shot").count() == 12
    newest = strip.locator("a.shot").nth(11)
    box, frame = newest.bounding_box(), strip.bounding_box()
    assert box["x"] >= frame["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    wait_until_true(page, "document.querySelectorAll('.film img')[11].naturalWidth > 0")
    assert page.evaluate(SHIFTS) < 0.02
    if width == 390:
        assert page.evaluate(TOO_WIDE) == []
    newest.click()
    page.wait_for_url(f"**/runs/{runs[-1].id}/figures/1")
    assert page.complaints == []


def test_from_the_report_a_tab_leads_to_all_figures_and_to_each(page, runs):
    page.goto(f"/runs/{runs[-1].id}")
    page.click("nav.tabs >> text=Figures")
    assert page.locator(".gallery li").count() == 2
    wait_until_true(page, DRAWN)
    page.focus(".gallery li:nth-child(2) a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/figures/2")
    assert page.locator("table.texts td").first.text_content() == "7"
    assert page.evaluate(TOO_WIDE) == []
    page.click(".near a.shot")
    page.wait_for_url(f"**/runs/{runs[-2].id}/figures/2")
    assert page.complaints == []


def test_a_picture_that_is_a_script_draws_and_does_nothing_else(page, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = shown_run(maker, evaluation, {"image/svg+xml": EVIL_SVG})
    for path in ("figures", "figures/1"):
        page.goto(f"/runs/{run.id}/{path}")
        wait_until_true(page, DRAWN)
        assert page.title() != "evil"
    assert page.complaints == []
    page.click("a[title='Show it alone']")
    page.wait_for_url("**/figures/*")
    assert (
        page.evaluate("() => { try { return document.cookie } catch { return 'none' } }") == "none"
    )
