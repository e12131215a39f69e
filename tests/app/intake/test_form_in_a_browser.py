"""The form as somebody uses it."""

import pytest
from sqlalchemy import select

from provenance.ledger.tables import Run
from tests.app.intake.test_form import FORM
from tests.app.intake.test_form_widgets import daily
from tests.support.browsing import TOO_WIDE, broken_rules
from tests.support.waiting import wait_for

__all__ = ["daily"]
pytestmark = pytest.mark.browser
LIMIT = "input[name='param.limit']"
TOLD = "#problem-field-limit"
SAID = "[data-said]"


def run_params(installation) -> list[dict[str, object]]:
    with installation.ledger.reading() as session:
        return [run.params for run in session.scalars(select(Run).order_by(Run.id))]


def open_several(page, name: str) -> None:
    page.click(f"[data-field='field-{name}'] details.several summary")


def test_what_is_wrong_is_told_while_one_writes_and_goes_when_it_is_right(page, project):
    page.goto(FORM)
    page.fill(LIMIT, "11")
    wait_for(lambda: page.text_content(TOLD), "the problem to be told")
    assert page.text_content(TOLD) == "found 11, expected at most 10."
    assert page.get_attribute(LIMIT, "aria-invalid") == "true"
    assert page.text_content(SAID) == "limit: found 11, expected at most 10."
    page.fill(LIMIT, "7")
    wait_for(lambda: not page.text_content(TOLD), "the problem to be gone")
    assert page.get_attribute(LIMIT, "aria-invalid") is None
    assert page.text_content(SAID) == "limit: in order"
    page.fill("#commit", "main")
    wait_for(lambda: page.text_content("[data-commit]"), "the commit to be told")
    assert page.text_content("[data-commit]").endswith("First report")
    page.click("button:text-is('Run')")
    page.wait_for_url("**/runs/*")
    assert page.text_content("#live-state") == "1st in the queue"
    assert page.text_content("#live-times").startswith("It is next")
    assert page.complaints == []


def test_fields_that_nobody_touched_are_left_in_peace(page, project):
    page.goto(f"{FORM}?limit=11")
    page.fill("input[name='param.note']", "x")
    page.wait_for_timeout(800)
    assert page.text_content(TOLD) == ""
    assert page.complaints == []


def test_a_day_is_written_in_words_or_picked(page, daily):
    page.goto(FORM)
    text, picker = "input[name='param.until']", "[data-picks='field-until']"
    assert page.is_visible(picker)
    page.fill(text, "2013-02-28")
    wait_for(lambda: page.input_value(picker) == "2013-02-28", "the day to be shown")
    page.fill(text, "month_start")
    wait_for(lambda: page.input_value(picker).endswith("-01"), "the day to be shown")
    page.fill(picker, "2013-03-31")
    assert page.input_value(text) == "2013-03-31"
    assert page.complaints == []


def test_a_slider_and_its_number_go_together(page, daily):
    page.goto(FORM)
    page.fill("[data-slides='field-window']", "30")
    assert page.input_value("input[name='param.window']") == "30"
    page.fill("input[name='param.window']", "45")
    assert page.input_value("[data-slides='field-window']") == "45"
    assert page.complaints == []


def test_rows_are_added_and_removed_with_the_keyboard(page, daily, installation):
    page.goto(FORM)
    assert page.is_hidden("textarea[name='param.airports']")
    first = page.get_by_label("airports: item 1")
    assert first.input_value() == "JFK"
    first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("EWR")
    page.get_by_label("Remove item 3").first.press("Enter")  # LGA, which went one down
    page.locator("[data-field='field-weights']").get_by_text("Add a row").click()
    page.keyboard.type("cancelled")
    page.keyboard.press("Tab")
    page.keyboard.type("5")
    page.click("button:text-is('Run')")
    page.wait_for_url("**/runs/*")
    (params,) = run_params(installation)
    assert params["airports"] == ["JFK", "EWR"]
    assert params["weights"] == {"cancelled": 5, "delay": 1.0}
    assert params["nested"] == {"a = b": [1]}
    assert page.complaints == []


def test_several_lines_that_are_pasted_become_rows(page, daily):
    page.goto(FORM)
    page.get_by_label("airports: item 2").focus()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text", "BOS\\nORD\\n");
          const told = { clipboardData: data, bubbles: true, cancelable: true };
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", told));
        }"""
    )
    assert page.input_value("textarea[name='param.airports']") == "JFK\nLGA\nBOS\nORD"
    assert page.complaints == []


def test_several_values_are_counted_while_one_writes_and_become_one_evaluation(
    page, project, installation
):
    page.goto(FORM)
    open_several(page, "limit")
    page.fill("textarea[name='several.limit']", "1 .. 3")
    wait_for(lambda: "3 runs" in page.text_content("[data-runs]"), "the runs to be counted")
    assert page.is_disabled(LIMIT), "the one value does not count"
    page.fill("textarea[name='several.limit']", "1 .. 3\nmany")
    wait_for(lambda: "'many'" in page.text_content(TOLD), "the problem to be told")
    assert page.get_attribute("textarea[name='several.limit']", "aria-invalid") == "true"
    assert page.get_attribute(LIMIT, "aria-invalid") is None
    page.fill("textarea[name='several.limit']", "1 .. 3")
    open_several(page, "station")
    for station in ("north", "south"):
        page.check(f"input[name='several.station'][value={station}]")
    wait_for(lambda: "6 runs" in page.text_content("[data-runs]"), "the runs to be counted")
    page.click("button:text-is('Run')")
    page.wait_for_url("**/evaluations/*")
    assert page.locator("ul.rows > li").count() == 6
    assert "6th in the queue" in page.text_content("ul.rows > li:last-child")
    assert len(run_params(installation)) == 6
    assert page.complaints == []


def test_what_would_run_is_told_on_the_same_page(page, project, installation):
    page.goto(FORM)
    page.evaluate("document.body.dataset.loaded = 'once'")
    page.fill(LIMIT, "5")
    page.click("button:text-is('Preview')")
    page.wait_for_selector("#preview h2", timeout=20000)
    assert "1 run of daily" in page.text_content("#preview")
    assert page.evaluate("document.body.dataset.loaded") == "once"
    assert page.text_content(SAID).strip().startswith("1 run of daily")
    page.evaluate("document.querySelector('form[data-form]').noValidate = true")
    page.fill(LIMIT, "11")
    page.click("button:text-is('Preview')")
    page.wait_for_selector("section[role=alert]")
    assert page.text_content(TOLD) == "found 11, expected at most 10."
    assert run_params(installation) == []


def test_without_scripts_all_of_it_can_be_sent(page, daily, installation, address):
    plain = page.context.browser.new_page(base_url=address, java_script_enabled=False)
    plain.goto(FORM)
    assert plain.is_hidden("[data-slides='field-window']")
    assert plain.is_visible("textarea[name='param.airports']")
    plain.fill("input[name='param.until']", "-1d")
    plain.fill("textarea[name='param.airports']", "EWR\nBOS")
    plain.uncheck("input[name='param.carriers'][value=AA]")
    plain.click("button:text-is('Preview')")
    assert "1 run of daily" in plain.text_content("#preview")
    assert plain.url.endswith("/new#preview"), "it stands below a long form"
    assert plain.input_value("input[name='param.until']") == "-1d"
    open_several(plain, "window")
    plain.fill("textarea[name='several.window']", "5\n6")
    plain.click("button:text-is('Run')")
    plain.wait_for_url("**/evaluations/*")
    told = run_params(installation)
    assert [params["window"] for params in told] == [5, 6]
    assert {tuple(params["airports"]) for params in told} == {("EWR", "BOS")}
    assert told[0]["carriers"] == ["UA"]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_form_fits_its_screen(page, daily, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(FORM)
    for summary in page.locator("details summary").all():
        if summary.is_visible():
            summary.click()
    if width == 390:
        assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_everybody(page, daily, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 900})
    addresses = (FORM, f"{FORM}?window=61&until=x", f"{FORM}?commit=nowhere")
    assert [told for address in addresses for told in broken_rules(page, address)] == []
