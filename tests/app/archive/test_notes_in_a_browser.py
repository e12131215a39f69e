"""Tags, comments and the bin as somebody uses them, with nothing but buttons."""

import pytest

from tests.app.archive.maker import Maker

pytestmark = pytest.mark.browser
REPORT = "/projects/flights/reports/sanity_check"


@pytest.fixture
def runs(maker: Maker) -> list[str]:
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    return [maker.run(evaluation, params={"n": number}).id for number in range(3)]


def test_picked_runs_go_into_the_bin_and_come_back(page, runs):
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(REPORT)
    compare = page.locator("button:has-text('Compare picked')")
    delete = page.locator("button:has-text('Delete picked')")
    assert compare.is_disabled()
    assert delete.is_disabled()
    for run in runs:
        page.check(f"input[name=pick][value={run}]")
    assert compare.is_disabled()
    page.uncheck(f"input[name=pick][value={runs[2]}]")
    assert compare.is_enabled()
    delete.click()
    page.wait_for_selector(".undo")
    assert page.locator("tbody tr").count() == 1
    page.click(".undo button:has-text('Undo')")
    page.wait_for_url(f"**{REPORT}")
    assert page.locator("tbody tr").count() == 3
    page.check(f"input[name=pick][value={runs[0]}]")
    page.check(f"input[name=pick][value={runs[1]}]")
    compare.click()
    page.wait_for_url(f"**/compare?a={runs[0]}&b={runs[1]}")
    assert page.complaints == []


def test_a_run_is_tagged_commented_pinned_and_let_go(page, runs):
    page.goto(f"/runs/{runs[0]}")
    page.fill("input[name=tag]", "release")
    page.keyboard.press("Enter")
    page.wait_for_selector("ul.tags >> text=release")
    page.click(".notes summary:has-text('Comment')")
    page.fill(".notes textarea", "Snow.\nMuch of it.")
    page.click("text=Say it")
    page.wait_for_selector(".comment >> text=Much of it.")
    page.click(".notes summary:has-text('Pin')")
    page.fill(".notes input[name=reason]", "for the paper")
    page.click(".notes button:text-is('Pin')")
    page.wait_for_selector(".pin >> text=for the paper")
    page.click(".pin button:has-text('let go')")
    page.wait_for_selector(".notes summary:has-text('Pin')")
    page.click("ul.tags button")
    page.wait_for_selector("ul.tags", state="detached")
    assert page.complaints == []
