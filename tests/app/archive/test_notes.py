"""Tags, pins, comments, deleting and its undoing, and how long pages are kept: their pages."""

import html as markup
import re
from datetime import timedelta

import pytest

from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Pin
from provenance.ledger.keeping_tables import RunComment
from provenance.ledger.queries.storage import is_due
from provenance.ledger.states import Status
from provenance.ledger.tables import Run
from provenance.measuring import measure_storage
from tests.app.archive.maker import Maker

REPORT = "/projects/flights/reports/sanity_check"


@pytest.fixture(autouse=True)
def _no_tokens(app):
    """Let buttons be pressed without their tokens; that they need one has a test of its own."""
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def run(maker: Maker) -> Run:
    return maker.run(maker.evaluation(maker.commit(maker.project(), 1)))


def text_of(page: str) -> str:
    main = page.partition('<main id="main"')[2]
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_a_tag_stands_on_the_run_and_in_lists_and_can_go(client, run):
    answer = client.post(f"/runs/{run.id}/tags", data={"tag": " for the  paper "})
    assert answer.location == f"/runs/{run.id}#notes"
    assert "for the paper" in text_of(client.get(f"/runs/{run.id}").text)
    assert "for the paper" in text_of(client.get(REPORT).text)
    found = client.get("/search", query_string={"q": 'tag:"for the paper"'}).text
    assert f"/runs/{run.id}" in found
    client.post(f"/runs/{run.id}/untag", data={"tag": "for the paper"})
    assert "for the paper" not in client.get(f"/runs/{run.id}").text
    refused = client.post(f"/runs/{run.id}/tags", data={"tag": "<b>"})
    assert (refused.status_code, "A tag: found" in refused.text) == (400, True)


def test_a_comment_is_text_and_ones_own_can_go(client, run, maker):
    said = "Snow <script>alert(1)</script>\n\u202eturned"
    client.post(f"/runs/{run.id}/comments", data={"text": said})
    with maker.installation.ledger.writing() as session:
        session.add(RunComment(id="comment_of_eve", run_id=run.id, actor="eve", text="Indeed."))
    page = client.get(f"/runs/{run.id}").text
    assert "<script>alert" not in page
    assert "Snow &lt;script&gt;" in page
    (own,) = re.findall(r'action="(/comments/[^"]+/remove)"', page)
    assert client.post(own).status_code == 303
    assert "Snow" not in client.get(f"/runs/{run.id}").text
    assert client.post("/comments/comment_of_eve/remove").status_code == 404


def test_a_pin_holds_the_run(client, run, maker):
    client.post(f"/runs/{run.id}/pin", data={"reason": "for the paper", "until": ""})
    assert "Pinned by local : for the paper for good" in text_of(client.get(f"/runs/{run.id}").text)
    refused = client.post(f"/runs/{run.id}/delete")
    assert (refused.status_code, "is pinned by local" in refused.text) == (409, True)
    client.post(f"/runs/{run.id}/unpin")
    with maker.installation.ledger.reading() as session:
        assert session.query(Pin).count() == 0


def test_a_deleted_run_is_gone_for_now_and_one_click_brings_it_back(client, run):
    answer = client.post(f"/runs/{run.id}/delete")
    # It was the report's only run.
    assert answer.location.startswith("/projects/flights?undo=deletion_")
    assert "1 run is in the bin ." in text_of(client.get(answer.location).text)
    gone = client.get(f"/runs/{run.id}")
    assert gone.status_code == 410
    assert "was deleted by local" in gone.text
    assert 'href="/bin"' in gone.text
    told = text_of(client.get(f"/evaluations/{run.evaluation_id}").text)
    assert "Its runs were deleted." in told
    bin_page = client.get("/bin").text
    assert "1 run by local" in text_of(bin_page)
    (undo,) = re.findall(r'action="(/deletions/[^"]+/undo)"', bin_page)
    assert f'action="{undo}"' in gone.text
    assert client.post(undo).location == f"/runs/{run.id}"
    assert client.get(f"/runs/{run.id}").status_code == 200
    assert "The bin is empty." in client.get("/bin").text
    assert client.post(undo).status_code == 404


def test_picked_runs_are_deleted_and_the_list_offers_to_undo_it(client, maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    runs = [maker.run(evaluation, params={"date": str(number)}) for number in range(3)]
    page = client.get(f"{REPORT}?branch=main").text
    (action,) = re.findall(r'formaction="([^"]+)"', page)
    picked = {"pick": [run.id for run in runs[:2]]}
    answer = client.post(markup.unescape(action), data=picked)
    assert answer.location.startswith(f"{REPORT}?branch=main&undo=deletion_")
    after = client.get(answer.location).text
    assert "2 runs are in the bin ." in text_of(after)
    assert f"/runs/{runs[0].id}" not in after
    assert f"/runs/{runs[2].id}" in after
    (undo,) = re.findall(r'action="(/deletions/[^"]+/undo)"', after)
    assert client.post(undo).location == REPORT
    assert f"/runs/{runs[0].id}" in client.get(REPORT).text
    assert "in the bin" not in text_of(client.get(answer.location).text)


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example/x",
        "/\\evil.example",
        "javascript:x",
        "x",
        "",
        "//[",
        "http://[",
    ],
)
def test_a_deletion_leads_nowhere_else(client, run, back):
    answer = client.post("/runs/delete", query_string={"back": back}, data={"pick": [run.id]})
    assert answer.location.startswith("/?undo=deletion_")


def test_what_cannot_be_deleted_is_told(client, run, maker):
    assert client.post("/runs/delete").status_code == 400
    assert client.post("/runs/delete", data={"pick": ["run_none"]}).status_code == 404
    open_run = maker.run(
        maker.evaluation(maker.commit(maker.project("b"), 2)), status=Status.QUEUED
    )
    refused = client.post("/runs/delete", data={"pick": [run.id, open_run.id]})
    assert (refused.status_code, "has not ended" in refused.text) == (409, True)
    assert client.get(f"/runs/{run.id}").status_code == 200


def test_a_run_whose_page_was_cleared_says_so(client, run, maker):
    maker.change(run, html=None, notebook=None, log=None, expired_at=utc_now())
    page = text_of(client.get(f"/runs/{run.id}").text)
    assert "Its page was kept for its time" in page
    assert client.get(f"/runs/{run.id}/report").status_code == 410


def test_storage_shows_what_was_measured_and_sets_for_how_long_pages_are_kept(client, run, maker):
    page = client.get("/storage").text
    assert "A worker measures it within half a minute" in page
    maker.change(run, html=maker.keep(b"x" * 1234))
    measure_storage(maker.installation.store, maker.installation.ledger)
    page = text_of(client.get("/storage").text)
    assert "sanity_check 1 1 1.2 kB" in page.replace("\u202f", " ")
    answer = client.post("/projects/flights/keep", data={"report": "sanity_check", "days": "90"})
    assert answer.location == "/storage#of-flights"
    assert 'value="90"' in client.get("/storage").text
    client.post("/projects/flights/keep", data={"report": "sanity_check", "days": ""})
    assert 'value="90"' not in client.get("/storage").text
    client.post("/storage/measure")
    with maker.installation.ledger.reading() as session:
        assert is_due(session, utc_now() - timedelta(days=1))
    assert "a worker measures it anew" in client.get("/storage").text


@pytest.mark.parametrize("days", ["0", "-1", "x", "1e3", "99999", "9" * 30, "٣"])
def test_days_that_are_none_are_refused(client, run, days):
    answer = client.post("/projects/flights/keep", data={"report": "", "days": days})
    assert (answer.status_code, "days: found" in answer.text) == (400, True)


def test_an_empty_archive_says_how_to_begin(client):
    assert "The bin is empty." in client.get("/bin").text
    assert "provenote projects add" in client.get("/storage").text


@pytest.mark.parametrize(
    "path",
    [
        *("/runs/{0}/tags", "/runs/{0}/untag", "/runs/{0}/pin", "/runs/{0}/unpin"),
        *("/runs/{0}/comments", "/comments/x/remove", "/runs/{0}/delete", "/runs/delete"),
        *("/deletions/x/undo", "/storage/measure", "/projects/flights/keep"),
    ],
)
def test_no_other_site_can_press_a_button(client, app, run, path):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post(path.format(run.id), data={"tag": "x", "text": "x", "pick": run.id})
    assert (answer.status_code, "CSRF" in answer.text) == (400, True)
    assert client.get(f"/runs/{run.id}").status_code == 200
