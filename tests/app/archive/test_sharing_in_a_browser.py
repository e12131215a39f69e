"""A link is made and copied, and opened by a stranger."""

import pytest

from tests.app.archive.test_sharing import link, run

__all__ = ["link", "run"]
pytestmark = pytest.mark.browser


def test_a_stranger_sees_the_report_with_its_figures_and_nothing_of_the_archive(page, link):
    asked: list[tuple[str, str | None]] = []
    page.on("request", lambda one: asked.append((one.url, one.headers.get("referer"))))
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(link)
    frame = next(one for one in page.frames if one.url.endswith("/report"))
    frame.wait_for_selector("#colophon")
    assert frame.evaluate("document.images.length") == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("nav, form, .search").count() == 0
    assert not any(told for _, told in asked), "nobody hears of the address"
    assert page.locator("a").count() == 2


def test_a_link_is_made_by_hand_and_can_be_copied(page, run):
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"/runs/{run.id}")
    page.click("text=Make a link…")
    page.click("button:has-text('Make a link')")
    page.wait_for_selector("#link")
    shown = page.input_value("#link")
    assert page.get_attribute(".link button", "data-copy") == shown
    page.click("text=Back to the run")
    page.wait_for_selector(".shares button")
    page.click(".shares button")
    page.wait_for_selector("text=revoked")
    answer = page.goto("/shared/" + shown.rpartition("/")[2])
    assert answer.status == 410
    assert page.inner_text("h1") == "This link has ended"
