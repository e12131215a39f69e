import pytest

from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status, Verdict
from provenance.ledger.times import CaseKey, Took, remember_took
from tests.app.archive.maker import Maker
from tests.app.archive.test_hostile_strings import fill, hostile, pages
from tests.support.browsing import TOO_WIDE
from tests.support.waiting import wait_for, wait_until_true

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

OVERLAPS = """() => [...document.querySelectorAll("ul.rows > li")].filter((row) => {
  const [verdict, what] = [".verdict", ".what"].map((one) => row.querySelector(one));
  const [left, right] = [verdict, what].map((one) => one.getBoundingClientRect());
  return left.right > right.left && left.bottom > right.top;
}).map((row) => row.textContent)"""

__all__ = ["hostile"]
pytestmark = pytest.mark.browser


def test_pages_break_no_rule_of_their_own_and_fit_a_narrow_screen(app, page, hostile):
    for url in pages(app, hostile)[:3] + pages(app, hostile)[5:]:
        if "/live?" not in url and "brief=" not in url:  # those are parts of pages
            page.goto(url)
            page.wait_for_timeout(150)
            too_wide = page.evaluate(TOO_WIDE)
            assert too_wide == [], url
    assert page.complaints == []


LONG = ("supercalifragilistic" * 40 + " ✈️🛫\n\u202eطائرة " + "שלום ") * 11
"""Ten thousand characters: words without an end, pictures, lines, what is read from the right."""


def test_the_longest_texts_stay_within_the_page(app, page, maker: Maker):
    name = "שלום" + "a" * 90
    ids = fill(maker, name, LONG)
    found = {}
    for url in pages(app, ids, name, "x"):
        if not any(part in url for part in ("/live?", "brief=", "/latest/")):
            page.goto(url)
            found[url] = page.evaluate(TOO_WIDE)
    assert {url: places for url, places in found.items() if places} == {}
    # The live run is told to have drawn a figure, which is no picture.
    assert [one for one in page.complaints if "404" not in one] == []


@pytest.mark.parametrize("width", [390, 700, 1280])
def test_each_verdict_has_room_beside_what_it_is_of(page, maker: Maker, width: int):
    bad = [one for one in Verdict if one not in (Verdict.PASSED, Verdict.CANCELLED)]
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), verdict=bad[-1])
    for verdict in bad:
        maker.run(evaluation, f"report-{verdict}", verdict=verdict)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    assert page.locator("ul.rows > li .verdict").count() == len(bad)
    assert page.evaluate(OVERLAPS) == []


def test_a_report_reaches_neither_the_reader_nor_the_server(page, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, html=maker.keep(PROBE))
    page.goto(f"/runs/{run.id}")
    wait_until_true(page, "document.querySelector('iframe[data-report]').style.height === '777px'")
    report = page.frames[1]
    found = report.evaluate("document.body.dataset.found")
    assert found == "no cookie, no storage, no parent, no network"


def test_a_run_is_watched_live_until_its_report_is_there(page, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), status=Status.RUNNING)
    run = maker.run(evaluation, status=Status.QUEUED)
    page.goto(f"/runs/{run.id}")
    assert page.text_content("#live-state") == "1st in the queue"
    page.evaluate("document.body.dataset.loaded = 'once'")
    facts = {"status": Status.RUNNING, "attempt": 1, "started_at": utc_now()}
    maker.change(run, cells_total=3, cells_done=1, doing="cell 2", **facts)
    maker.event(run, 1, "cell", index=0, total=3, title="First", source="a = 1", text="one")
    maker.event(run, 2, "at_work", cell=1, title="Second", text="step 1\n")
    page.wait_for_selector("#live-now pre", timeout=20000)
    assert page.text_content("#live-state") == "Cell 2 of 3"
    assert "running" in page.text_content(".outcome")
    assert page.text_content("#live-now pre") == "step 1\n"
    page.click("#cell-1 summary")
    maker.change(run, cells_done=2, doing="cell 3")
    maker.event(run, 3, "cell", index=1, total=3, title="Second", text="two")
    page.wait_for_selector("#cell-2", timeout=20000)
    assert page.text_content("#live-state") == "Cell 3 of 3"
    assert page.locator("#cell-1 details[open]").count() == 1
    assert page.locator("#live-cells article").count() == 2
    assert page.evaluate("document.body.dataset.loaded") == "once", "all of it without a reload"
    html = maker.keep(b"<p>done</p>")
    maker.change(run, status=Status.FINISHED, verdict=Verdict.PASSED, html=html)
    page.wait_for_selector("iframe[data-report]", timeout=20000)
    assert "passed" in page.text_content(".outcome")
    assert page.complaints == []


def test_a_bar_moves_by_itself_and_waits_where_the_next_event_has_to_come(page, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), status=Status.RUNNING)
    run = maker.run(evaluation, status=Status.RUNNING, started_at=utc_now())
    with maker.installation.ledger.writing() as session:
        case = CaseKey(run.project_id, run.report, run.case_key)
        remember_took(session, case, Took(1.5, {0: 60.0}, 0.0, 1))
    page.goto("/")
    value = "document.querySelector('#running progress, .running progress').value"
    first = page.evaluate(value)
    wait_for(lambda: page.evaluate(value) > first, "the bar to move")
    told = page.locator("[data-clock=left]").first
    wait_for(lambda: told.text_content() == "about 60\u202fs left", "the cell to be due")


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
