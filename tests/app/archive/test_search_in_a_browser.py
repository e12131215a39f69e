"""The search box as somebody uses it who has no mouse."""

import pytest

from tests.app.archive.maker import Maker
from tests.app.archive.test_search_page import delays
from tests.support.waiting import wait_until_true

__all__ = ["delays"]
pytestmark = pytest.mark.browser
FOUND = "[data-found] li a"


def test_a_slash_leads_to_the_box_and_what_is_found_stands_below_it(page, delays):
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("rus")
    page.wait_for_selector(FOUND)
    assert "rush" in page.text_content(FOUND)
    assert page.text_content("form[role=search] [role=status]") == "1 is found"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{delays.id}")
    assert page.complaints == []


def test_escape_closes_enter_leads_to_the_page_and_a_slash_can_be_typed(page, delays):
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("a/b")
    page.wait_for_selector("[data-found]:not([hidden])")
    assert page.input_value("input[name=q]") == "a/b"
    page.keyboard.press("Escape")
    assert page.is_hidden("[data-found]")
    assert page.input_value("input[name=q]") == "a/b"
    page.fill("input[name=q]", "status:failed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=status%3Afailed")
    assert page.input_value("input[name=q]") == "status:failed"
    assert page.locator("main ul.rows > li").count() == 1


def test_what_is_typed_last_is_what_is_shown(page, maker: Maker, delays):
    page.goto("/")
    page.click("input[name=q]")
    page.keyboard.type("rush", delay=15)
    page.keyboard.type("x", delay=200)
    wait_until_true(
        page, "document.querySelector('[data-found]').textContent.includes('Nothing is found')"
    )
    page.fill("input[name=q]", "")
    page.wait_for_selector("[data-found]", state="hidden")


def test_escape_on_what_is_found_closes_it_and_leads_back_to_the_text(page, delays):
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("rush")
    page.wait_for_selector(FOUND)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.is_hidden("[data-found]")
    assert page.evaluate("document.activeElement.name") == "q"
    assert page.input_value("input[name=q]") == "rush"


def test_who_has_left_the_box_is_shown_no_list(page, delays):
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("rush")
    page.keyboard.press("Shift+Tab")
    page.wait_for_timeout(600)  # four times the pause after which the box asks
    assert page.is_hidden("[data-found]")


def test_what_cannot_be_answered_leaves_no_old_list(page, delays):
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("rush")
    page.wait_for_selector(FOUND)
    page.route("**/search?*brief=1", lambda route: route.fulfill(status=503, body="away"))
    page.keyboard.type("x")
    page.wait_for_selector("[data-found]", state="hidden")
