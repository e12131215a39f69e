import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from provenance.ledger.states import Status, Verdict
from tests.app.archive.maker import Maker
from tests.app.archive.test_hostile_strings import hostile, pages

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PROBE = b"""<!doctype html><body><p>report</p><script>
const found = [];
try { found.push("cookie" + document.cookie); } catch { found.push("no cookie"); }
try { localStorage.getItem("x"); found.push("storage"); } catch { found.push("no storage"); }
try { parent.document.title; found.push("parent"); } catch { found.push("no parent"); }
fetch("/api/v1/runs").then(() => found.push("network"), () => found.push("no network"))
  .finally(() => {
    document.body.dataset.found = found.join(", ");
    const tell = () => parent.postMessage({ provenote: "height", value: 777 }, "*");
    addEventListener("message", tell);  // the page may not have listened yet
    tell();
    parent.postMessage({ provenote: "height", value: "<b>" }, "*");
    parent.postMessage({ provenote: "evil", value: 12345 }, "*");
  });
</script></body>"""

TOO_WIDE = """() => document.documentElement.scrollWidth <= 390 ? [] :
  [...document.querySelectorAll("body *")]
    .filter((one) => !one.closest(".scroll") && one.getBoundingClientRect().right > 391)
    .map((one) => `${one.tagName}.${one.className}`)"""

__all__ = ["hostile"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture
def address(app) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page(address: str):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS.split())
        opened = browser.new_page(base_url=address, viewport={"width": 390, "height": 900})
        opened.complaints = []  # what the browser refused or could not do
        opened.on("console", lambda told: opened.complaints.append(told.text))
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
        yield opened
        browser.close()


def test_pages_break_no_rule_of_their_own_and_fit_a_narrow_screen(app, page, hostile):
    for url in pages(app, hostile)[:3] + pages(app, hostile)[5:]:
        if "/live?" not in url:
            page.goto(url)
            page.wait_for_timeout(150)
            too_wide = page.evaluate(TOO_WIDE)
            assert too_wide == [], url
    assert page.complaints == []


def test_a_report_reaches_neither_the_reader_nor_the_server(page, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, html=maker.keep(PROBE))
    page.goto(f"/runs/{run.id}")
    page.wait_for_function(
        "document.querySelector('iframe[data-report]').style.height === '777px'", timeout=5000
    )
    report = page.frames[1]
    found = report.evaluate("document.body.dataset.found")
    assert found == "no cookie, no storage, no parent, no network"


def test_a_run_is_watched_live_until_its_report_is_there(page, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), status=Status.RUNNING)
    run = maker.run(evaluation, status=Status.RUNNING, cells_total=3, cells_done=1)
    maker.event(run, 1, "cell", index=1, total=3, title="First", source="a = 1", text="one")
    page.goto(f"/runs/{run.id}")
    page.click("#cell-1 summary")
    maker.event(run, 2, "cell", index=2, total=3, title="Second", text="two")
    maker.change(run, cells_done=2)
    page.wait_for_selector("#cell-2", timeout=5000)
    assert page.text_content(".state") == "Cell 2 of 3"
    assert page.locator("#cell-1 details[open]").count() == 1
    html = maker.keep(b"<p>done</p>")
    maker.change(run, status=Status.FINISHED, verdict=Verdict.PASSED, html=html)
    page.wait_for_selector("iframe[data-report]", timeout=5000)
    assert "passed" in page.text_content(".outcome")


def test_the_colours_are_kept_and_a_point_of_a_trend_opens_its_run(page, maker: Maker):
    project = maker.project()
    for number in range(3):
        evaluation = maker.evaluation(maker.commit(project, number))
        run = maker.run(evaluation, metrics={"rmse": (14.0 + number, "min", "lower")})
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto("/projects/flights/reports/sanity_check")
    page.click("[data-theme-switch]")
    page.click("[data-theme-switch]")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 25, box["y"] + 40)
    page.mouse.click(box["x"] + box["width"] - 25, box["y"] + 40)
    page.wait_for_url(f"**/runs/{run.id}", timeout=5000)
    assert page.complaints == []
