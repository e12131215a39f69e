"""The feed of a report, as a reader of Atom takes it."""

from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from provenance.ledger.states import Status, Verdict
from tests.app.archive.maker import Maker
from tests.app.archive.test_hostile_strings import EVIL

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESS = "/projects/flights/reports/sanity_check/feed.atom"


def entries(client: FlaskClient, address: str = ADDRESS) -> list[ElementTree.Element]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.content_type == "application/atom+xml"
    feed = ElementTree.fromstring(answer.data)
    assert {child.tag for child in feed} >= {f"{ATOM}{tag}" for tag in ("id", "title", "updated")}
    return feed.findall(f"{ATOM}entry")


def told(entry: ElementTree.Element, tag: str) -> str:
    return entry.findtext(f"{ATOM}{tag}") or ""


def test_runs_that_have_ended_are_told_newest_first(client, maker: Maker):
    project = maker.project()
    first, second = (maker.evaluation(maker.commit(project, number)) for number in (1, 2))
    maker.run(first, metrics={"rmse": (14.0, "min", "lower")})
    failed = maker.run(second, verdict=Verdict.FAILED, metrics={"rmse": (19.5, "min", "lower")})
    maker.run(second, status=Status.RUNNING, params={"date": "2013-02-28"})
    found = entries(client)
    assert len(found) == 2
    assert told(found[0], "title").startswith("✕ failed: sanity_check 2013-01-31 at ")
    assert told(found[0], "id") == f"http://localhost/runs/{failed.id}"
    assert "rmse 19.5 min (+5.5 worse)" in told(found[0], "summary")
    assert told(found[1], "title").startswith("✓ passed")


def test_all_metrics_and_why_it_failed_are_told(client, maker: Maker):
    names = ("rmse", "mae", "bias", "rows", "share")
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    metrics = dict.fromkeys(names, (1.0, None, None))
    checks = [(False, "rmse is below its limit")]
    maker.run(evaluation, metrics=metrics, verdict=Verdict.FAILED, checks=checks)
    summary = told(entries(client)[0], "summary")
    assert all(f"{name} 1;" in summary for name in names)
    assert summary.endswith("rmse is below its limit")


def test_a_case_has_a_feed_of_its_own(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation)
    maker.run(evaluation, params={"date": "2013-02-28"})
    assert len(entries(client)) == 2
    (entry,) = entries(client, f"{ADDRESS}?case={run.case_key}")
    assert told(entry, "id").endswith(run.id)


@pytest.mark.parametrize("text", [EVIL, "a\x0bb\ufffe", "]]>&<\x1b[31m"])
def test_whatever_a_commit_says_the_feed_is_well_formed(client, maker: Maker, text: str):
    commit = maker.commit(maker.project(), 1, subject=text)
    error = {"message": text}
    maker.run(maker.evaluation(commit), verdict=Verdict.ERROR, error=error)
    (entry,) = entries(client)
    assert told(entry, "title").startswith("! error")


def test_a_reader_that_has_it_is_told_so(client, maker: Maker):
    maker.run(maker.evaluation(maker.commit(maker.project(), 1)))
    first = client.get(ADDRESS)
    again = client.get(ADDRESS, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_report_that_nobody_has_run_has_none(client, maker: Maker):
    maker.run(maker.evaluation(maker.commit(maker.project(), 1)))
    assert client.get("/projects/flights/reports/sanity_chek/feed.atom").status_code == 404


def test_the_report_s_page_leads_to_it(client, maker: Maker):
    maker.run(maker.evaluation(maker.commit(maker.project(), 1)))
    page = client.get("/projects/flights/reports/sanity_check").text
    assert f'type="application/atom+xml" title="flights / sanity_check" href="{ADDRESS}"' in page
