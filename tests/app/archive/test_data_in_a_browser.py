"""The buttons of data as a reader uses them: by keyboard, without scripts, on a narrow screen."""

import re
from collections.abc import Iterator

import pytest

from tests.app.archive.test_data_pages import DAY, bring
from tests.support.browsing import TOO_WIDE

__all__ = ["bring"]
PARTITION_PAGE = f"/datasets/sold?partition={DAY}"
pytestmark = pytest.mark.browser


@pytest.fixture
def plain(page, address: str) -> Iterator:
    """A page of a browser that runs no scripts."""
    context = page.context.browser.new_context(java_script_enabled=False, base_url=address)
    yield context.new_page()
    context.close()


def reach(opened, wanted: str) -> None:
    """Press Tab until what *wanted* selects has the focus."""
    for _ in range(60):
        opened.keyboard.press("Tab")
        if opened.locator(f"{wanted}:focus").count():
            return
    raise AssertionError(f"Tab does not reach {wanted}")


def test_a_partition_is_retired_and_rolled_back_by_keyboard_without_scripts(plain, bring):
    bring("a")
    plain.goto(PARTITION_PAGE)
    assert not plain.is_visible("#retire-reason")
    reach(plain, ".moves summary")
    plain.keyboard.press("Enter")
    reach(plain, "#retire-reason")
    plain.keyboard.type("sensor broke")
    plain.keyboard.press("Enter")
    plain.wait_for_selector("text=Retired: no batch is current.")
    reach(plain, "#reason")
    plain.keyboard.type("mended")
    reach(plain, "form.move button")
    plain.keyboard.press("Space")
    plain.wait_for_selector("text=Batch 1 is current.")
    assert "sensor broke" in plain.inner_text("main")


def test_a_batch_is_pinned_and_let_go_of_by_keyboard_without_scripts(plain, bring):
    batch = bring("a")
    plain.goto(f"/batches/{batch.id}")
    reach(plain, "#pin-reason")
    plain.keyboard.type("the audit")
    plain.fill("#pin-until", "2999-12-31")
    reach(plain, ".pinning button")
    plain.keyboard.press("Enter")
    plain.wait_for_selector("text=Let go")
    assert "the audit" in plain.inner_text("section[aria-labelledby=pins]")
    reach(plain, "section[aria-labelledby=pins] button")
    plain.keyboard.press("Enter")
    plain.wait_for_selector("#pin-reason")


def test_a_snapshot_is_taken_without_scripts_and_a_name_that_cannot_be_is_not_sent(plain, bring):
    bring("a")
    plain.goto("/datasets/sold")
    plain.fill("#snapshot", "1 st")
    plain.press("#snapshot", "Enter")
    assert plain.locator("#snapshot:invalid").count() == 1
    assert plain.locator("section[aria-labelledby=snapshots] tbody tr").count() == 0
    plain.fill("#snapshot", "release-1")
    plain.press("#snapshot", "Enter")
    plain.wait_for_selector("section[aria-labelledby=snapshots] tbody tr")
    assert "release-1" in plain.inner_text("section[aria-labelledby=snapshots]")


def test_pages_of_data_break_no_rule_and_fit_a_narrow_screen(page, bring):
    assert page.goto("/models").status == 200
    assert page.evaluate(TOO_WIDE) == []
    batch = bring("a")
    other = [{"name": "a_column_with_a_name_that_is_rather_long", "type": "large_list<string>"}]
    changed = bring("b", columns=other)
    for url in ("/datasets", "/datasets/sold", PARTITION_PAGE, f"/batches/{batch.id}"):
        page.goto(url)
        assert page.evaluate(TOO_WIDE) == [], url
    page.goto(PARTITION_PAGE)
    page.click(".moves summary")
    assert page.evaluate(TOO_WIDE) == []
    page.goto(f"/batches/{changed.id}")
    page.fill("#pin-until", "2999-12-31")
    page.click(".pinning button")
    page.wait_for_selector("text=Let go")
    told = page.inner_text(".pin time[data-exact]")
    assert re.search(r"\b[A-Z]{3,}", told), f"{told} is of no zone"
    assert page.evaluate(TOO_WIDE) == []
    assert page.complaints == []
