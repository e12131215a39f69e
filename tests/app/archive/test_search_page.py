import html as markup
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from provenance.ledger.marks import add_tag
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Run
from provenance.ledger.text_tables import PageText
from provenance.ledger.words import unread_pages, write_words
from tests.app.archive.maker import Maker
from tests.support.rows import publish_page


@pytest.fixture
def delays(maker: Maker) -> Run:
    """A failed run of a report called delays, whose page speaks of the rush hour."""
    evaluation = maker.evaluation(maker.commit(maker.project(), 1, subject="Use arrival hour"))
    html = maker.keep(b"<p>Planes wait in the rush hour.</p>")
    facts: dict[str, Any] = {"verdict": Verdict.FAILED, "html": html, "branch": "main"}
    run = maker.run(evaluation, "delays", **facts)
    maker.run(maker.evaluation(maker.commit(maker.project("other"), 2)), "rainfall")
    with maker.installation.ledger.writing() as session:
        page = PageText(html=html, project_id=run.project_id, names="flights delays")
        publish_page(session, page)
    with maker.installation.ledger.writing() as session:
        for unread in unread_pages(session, 9):
            write_words(session, unread.id, "Planes wait in the <rush> hour, and then depart.")
    return run


def text_of(page: str) -> str:
    """Return what a page says, without its frame and its guide to filters."""
    main = page.partition('<main id="main"')[2].partition('id="filters"')[0]
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_a_word_finds_the_page_that_says_it_and_shows_where(client: FlaskClient, delays: Run):
    page = client.get("/search?q=rush+hour").text
    assert f'href="/runs/{delays.id}"' in page
    assert "Planes wait in the <" in text_of(page)
    assert "<mark>rush</mark>" in page
    assert "rainfall" not in text_of(page)


def test_filters_narrow_and_one_that_is_none_is_told(client: FlaskClient, delays: Run):
    assert "delays" in text_of(client.get("/search?q=status:failed").text)
    assert "rainfall" not in text_of(client.get("/search?q=status:failed").text)
    told = text_of(client.get("/search?q=stauts:failed").text)
    assert "stauts: is no filter. Did you mean 'status'?" in told


def test_where_every_filter_is_wrong_not_all_runs_are_listed(client: FlaskClient, delays: Run):
    for wrong in ("tagg:x", "metrc.rmse>2", "status:fialed"):
        page = client.get("/search", query_string={"q": wrong}).text
        assert "Did you mean" in page
        assert f"/runs/{delays.id}" not in page
    assert f"/runs/{delays.id}" in client.get(f"/search?q=tagg:x+report:{delays.report}").text


def test_a_report_is_found_by_its_name_and_a_commit_by_its_digits(client, delays: Run):
    assert 'href="/projects/flights/reports/delays"' in client.get("/search?q=dela").text
    found = text_of(client.get(f"/search?q={delays.commit_sha}").text)
    assert "delays" in found
    assert "rainfall" not in found


def test_the_id_of_a_run_leads_to_it(client: FlaskClient, delays: Run):
    assert client.get(f"/search?q={delays.id}").location == f"/runs/{delays.id}"
    assert client.get(f"/search?q={delays.id}0").status_code == 200


def test_without_a_text_the_latest_runs_stand_there(client: FlaskClient, delays: Run):
    page = text_of(client.get("/search").text)
    assert "Latest runs" in page
    assert "rainfall" in page
    assert "delays" in page


def test_where_nothing_is_found_it_is_said_what_to_do(client: FlaskClient, delays: Run):
    page = client.get("/search?q=thunder").text
    assert "No run is like this." in page
    assert "metric.rmse&gt;2" in page
    assert "Nothing is found for “thunder”." in client.get("/search?q=thunder&brief=1").text


def test_older_runs_are_a_link_away(client: FlaskClient, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    for _ in range(28):
        maker.run(evaluation, "many")
    first = client.get("/search?q=report:many").text
    assert first.count('<li>\n      <div class="lead">') == 25
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(markup.unescape(older)).text
    assert second.count('<li>\n      <div class="lead">') == 3
    assert "Older runs" not in second


@pytest.mark.parametrize("before", ["run_", "9", "run_" + "u" * 26, "'"])
def test_a_page_that_was_never_given_out_is_told(client: FlaskClient, before: str):
    told = client.get("/search", query_string={"before": before})
    assert told.status_code == 400
    assert "before: not one that was given out." in text_of(told.text)


def test_every_page_has_the_box_and_it_works_without_scripts(client: FlaskClient, delays: Run):
    for address in ("/", f"/runs/{delays.id}", "/datasets", "/nowhere"):
        assert 'role="search" action="/search"' in client.get(address).text


def test_the_interface_takes_what_can_be_typed(client: FlaskClient, delays: Run):
    def found(query: str) -> list[str]:
        return [run["id"] for run in client.get(f"/api/v1/runs?{query}").get_json()["items"]]

    assert found("q=rush") == [delays.id]
    assert found("q=rush&verdict=passed") == []
    assert found("q=proj") == []
    assert found(f"q={delays.commit_sha}") == [delays.id]
    refused = client.get("/api/v1/runs?q=stauts:failed")
    assert refused.status_code == 400
    assert "Did you mean 'status'?" in refused.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("project:flihgts", "No project is called 'flihgts'. Did you mean 'flights'?"),
        ("report:dealys", "No report is called 'dealys'. Did you mean 'delays'?"),
        ("branch:mian", "No run is of a branch called 'mian'. Did you mean 'main'?"),
        ("metric.rms>2", "No run has recorded a metric called 'rms'. Did you mean 'rmse'?"),
        ("param.dat:2013", "No report has lately had a parameter called 'dat'."),
        ("tag:relase", "No run has the tag 'relase'. Did you mean 'release'?"),
    ],
)
@pytest.mark.parametrize("brief", ["", "&brief=1"])
def test_a_name_that_there_is_not_is_told_where_nothing_is_found(
    client: FlaskClient, maker: Maker, delays: Run, typed: str, told: str, brief: str
):
    evaluation = maker.evaluation(maker.commit(maker.project("third"), 3))
    run = maker.run(evaluation, "losses", metrics={"rmse": (1.0, None, None)})
    with maker.installation.ledger.writing() as session:
        add_tag(session, run.id, "release", "ada")
    page = client.get(f"/search?q={quote(typed)}{brief}").text
    assert told in " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_names_that_are_known_or_begun_are_not_told(client: FlaskClient, delays: Run):
    for typed in ("report:del status:passed", "project:FLI branch:ma actor:nobody"):
        page = client.get("/search", query_string={"q": typed}).text
        assert "No run is like this." in page
        assert "is called" not in page
