"""Figures of two runs are laid over each other, and two runs are picked from a list."""

import pytest

from tests.app.archive.test_compare_page import two

__all__ = ["two"]
pytestmark = pytest.mark.browser


def test_figures_lie_over_each_other_and_show_what_differs(page, two):
    page.set_viewport_size({"width": 900, "height": 900})
    page.goto(f"/compare?a={two[0].id}&b={two[1].id}")
    places = "document.querySelectorAll('.stage img')"
    apart = f"[...{places}].map((one) => one.getBoundingClientRect().left)"
    left, right = page.evaluate(apart)
    assert left < right
    page.click("button[data-mode=overlay]")
    left, right = page.evaluate(apart)
    assert left == right
    page.fill(".slide input", "25")
    assert page.evaluate(f"{places}[1].style.clipPath") == "inset(0px 75% 0px 0px)"
    page.click("button[data-mode=difference]")
    assert page.is_hidden(".slide")
    assert page.evaluate(f"getComputedStyle({places}[1]).mixBlendMode") == "difference"
    assert page.get_attribute("button[data-mode=difference]", "aria-pressed") == "true"
    assert page.complaints == []


def test_two_are_picked_from_the_history(page, two):
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto("/projects/flights/reports/sanity_check")
    for run in two:
        page.check(f"input[name=pick][value={run.id}]")
    page.click("button:has-text('Compare')")
    page.wait_for_url(f"**/compare?a={two[0].id}&b={two[1].id}")
    assert page.complaints == []


def test_one_file_opens_from_disk_and_asks_for_nothing(page, client, two, tmp_path):
    answer = client.get(f"/compare?a={two[0].id}&b={two[1].id}&standalone=1")
    file = tmp_path / "comparison.html"
    file.write_text(answer.text)
    page.context.set_offline(True)
    asked: list[str] = []
    page.set_viewport_size({"width": 1200, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("[...document.images].every((one) => one.naturalWidth === 40)")
    assert page.evaluate("document.images.length") == 2
    before, after = (page.locator(f"img.{side}").bounding_box() for side in ("before", "after"))
    assert before["x"] + before["width"] <= after["x"]
    face = page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily")
    assert "Palatino" in face, "our own style sheets are in the file"
    assert page.is_hidden("button.copy >> nth=0")
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.complaints == []
