"""No page breaks a rule of axe-core, in light and dark, on wide and on narrow screens."""

from typing import Any

import pytest

from provenance.ledger.marks import add_comment, add_tag
from provenance.ledger.tables import Project, Run
from tests.app.archive.maker import Maker
from tests.app.archive.test_compare_page import two
from tests.app.archive.test_data_pages import bring, version
from tests.app.archive.test_hostile_strings import hostile, pages
from tests.support.browsing import COLOURS, broken_rules

__all__ = ["bring", "hostile", "two", "version"]
pytestmark = pytest.mark.browser
REPORT = "/projects/flights/reports/sanity_check"


def test_pages_with_any_text_can_be_read_by_everybody_on_a_phone(app, page, hostile):
    parts = ("/live?", "brief=", "/latest/")
    urls = [url for url in pages(app, hostile) if not any(part in url for part in parts)]
    assert [problem for url in urls for problem in broken_rules(page, url)] == []


@pytest.fixture
def usual(maker: Maker, two: tuple[Run, Run], bring: Any, version: Any) -> list[str]:
    """Return the pages of an archive with figures, trends, notes, data and models."""
    first, second = two
    with maker.installation.ledger.reading() as session:
        project = session.get_one(Project, first.project_id)
    for number in range(3, 9):
        commit = maker.commit(project, number)
        metrics = {"rmse": (14.0 + number, "min", "lower"), "rows": (number * 10.0, None, None)}
        checks = [(number % 2 == 0, "rmse is below its limit")]
        run = maker.run(maker.evaluation(commit), metrics=metrics, checks=checks, reused=number > 6)
    with maker.installation.ledger.writing() as session:
        add_tag(session, run.id, "release", "local")
        add_comment(session, run.id, "Snow.", "local")
    batch, _ = bring(), version(1, rmse=14.2)
    version(2, rmse=13.1)
    return [
        *("/", "/projects/flights", REPORT, f"{REPORT}?metric=rmse", f"/runs/{run.id}"),
        *(f"/compare?a={first.id}&b={second.id}", f"/compare?a={first.id}", "/search?q=nothing"),
        *("/datasets", "/datasets/sold", "/datasets/sold?partition=2013-01-31"),
        *(f"/runs/{first.id}/{tab}" for tab in ("figures", "figures/1", "provenance", "notebook")),
        *(f"/batches/{batch.id}", "/models", "/models/delay", "/storage", "/bin", "/nowhere"),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_usual_pages_can_be_read_by_everybody(page, usual, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 900})
    rules = COLOURS if scheme == "dark" else None
    assert [problem for url in usual for problem in broken_rules(page, url, rules)] == []


def test_an_empty_archive_can_be_read_by_everybody(page):
    urls = ("/", "/search", "/datasets", "/models", "/environments", "/bin", "/storage")
    assert [problem for url in urls for problem in broken_rules(page, url)] == []
