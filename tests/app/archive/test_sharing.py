"""Links that open one report: made once, read by strangers, ended, revoked, forged."""

import hashlib
import io
import re
import zipfile
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from provenance.ledger.columns import utc_now
from provenance.ledger.share_tables import Share
from provenance.ledger.shares import make_share, revoke_share
from provenance.ledger.tables import Run
from tests.app.archive.drawing import keep_report
from tests.app.archive.maker import Maker
from tests.app.archive.test_hostile_strings import Inert, hostile
from tests.pipeline.report_pages import code, display, notebook
from tests.support.stories import Writer

__all__ = ["hostile"]


@pytest.fixture
def run(maker: Maker):
    figures = [display(image__png="AA" * 700_000) for _ in range(3)]
    book = notebook(*(code("1", figure) for figure in figures))
    found = keep_report(maker, book)
    maker.change(found, notebook=maker.keep(book))
    return found


@pytest.fixture
def link(app: Flask, run) -> str:
    return shared(app, run.id)


def shared(app: Flask, run_id: str, days: float = 7) -> str:
    """Make a link and return the path that it opens."""
    with app.extensions["provenote"].ledger.writing() as session:
        _, token = make_share(session, run_id, utc_now() + timedelta(days=days), "ada")
    return f"/shared/{token}"


def rows(app: Flask) -> list[Share]:
    with app.extensions["provenote"].ledger.reading() as session:
        return list(session.scalars(select(Share).order_by(Share.id)))


def press(client: FlaskClient, page: str, action: str, **fields: str):
    """Press the button of a page that leads to *action*, with its CSRF token."""
    text = client.get(page).text
    form = re.search(rf'<form method="post"[^>]*action="{re.escape(action)}".*?</form>', text, re.S)
    assert form is not None, f"no button leads to {action}"
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', form[0])
    return client.post(action, data={"csrf_token": token, **fields})


def test_a_link_is_made_on_the_page_of_a_run_and_shown_once(app, client, run):
    day = f"{utc_now() + timedelta(days=3):%Y-%m-%d}"
    made = press(client, f"/runs/{run.id}", f"/runs/{run.id}/shares", until=day)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    (token,) = re.findall(r'value="http://localhost/shared/([\w-]+)"', made.text)
    assert len(token) == 43, "256 random bits"
    (row,) = rows(app)
    assert row.token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert (row.actor, row.ends_at.date().isoformat()) == ("local", day)
    page = client.get(f"/runs/{run.id}").text
    assert token not in page
    assert f'action="/shares/{row.id}/revoke"' in page
    assert client.get(f"/shared/{token}").status_code == 200


def test_a_link_opens_the_report_and_its_downloads_and_leads_to_nothing_else(client, run, link):
    page = client.get(link)
    assert page.status_code == 200
    assert "Shared by ada. This link opens this one report until" in page.text
    assert run.commit_sha[:8] in page.text
    leads = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text))
    ours = {one for one in leads if not one.startswith("/static/")}
    assert ours == {f"{link}/report", f"{link}/report?download=1", f"{link}/notebook"}
    assert "flights" in page.text
    report = client.get(f"{link}/report")
    assert report.data == client.get(f"/runs/{run.id}/report").data
    figures = re.findall(r'src="(output/[^"]+)"', report.text)
    assert len(figures) == 2
    assert client.get(f"{link}/{figures[0]}").content_type == "image/png"
    assert "data-output=" in client.get(f"{link}/report?download=1").text
    saved = client.get(f"{link}/notebook")
    assert 'filename="sanity_check-' in saved.headers["Content-Disposition"]


def test_a_bundle_is_among_the_downloads_where_there_is_a_record(app, client, maker: Maker):
    run_id = Writer(maker.installation.ledger, maker.installation.store).write()
    link = shared(app, run_id)
    assert f'href="{link}/bundle"' in client.get(link).text
    with zipfile.ZipFile(io.BytesIO(client.get(f"{link}/bundle").data)) as archive:
        assert "report.html" in archive.namelist()


def test_what_a_link_opens_is_sandboxed_private_and_not_to_be_found(client, link):
    report = client.get(f"{link}/report")
    policy = report.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert f"img-src data: blob: http://localhost{link}/output/;" in policy
    for path in ("", "/report", "/report?download=1", "/notebook", "/output/1/x", "/none"):
        answer = client.get(f"{link}{path}")
        assert answer.headers["Referrer-Policy"] == "no-referrer", path
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow", path
        assert "Set-Cookie" not in answer.headers, path


@pytest.mark.parametrize("how", ["ended", "revoked"])
def test_a_link_that_has_ended_is_told_as_gone(app, client, run, link, how):
    with app.extensions["provenote"].ledger.writing() as session:
        (row,) = session.scalars(select(Share))
        if how == "ended":
            row.ends_at = utc_now() - timedelta(seconds=1)
        else:
            revoke_share(session, row.id, "bob")
    for path in ("", "/report", "/report?download=1", "/notebook", "/bundle", "/output/0/x"):
        answer = client.get(f"{link}{path}")
        assert answer.status_code == 410, path
        assert "This link has ended" in answer.text
        assert run.commit_sha[:8] not in answer.text
        assert "flights" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/shared/", "/shared/x", f"/shared/{'A' * 43}", "/shared/..%2f..", "/shared/%00", "/shared/ä"],
)
def test_a_forged_link_is_not_found_and_shows_nothing_of_the_archive(client, run, path):
    for below in ("", "/report", "/none"):
        answer = client.get(path.rstrip("/") + below)
        assert answer.status_code == 404
        assert "Nothing is shared here" in answer.text
        assert "flights" not in answer.text, "not even the names of projects"
        assert 'href="/"' not in answer.text


def test_nothing_can_be_done_by_a_link(client, link):
    for method in ("post", "put", "patch", "delete"):
        for path in (link, f"{link}/report", f"{link}/anything"):
            assert getattr(client, method)(path).status_code in (404, 405)


def test_hostile_texts_are_inert_in_the_frame(app, client, hostile, maker: Maker):
    with app.extensions["provenote"].ledger.writing() as session:
        session.get_one(Run, hostile[0]).html = maker.keep(b"<html>page</html>")
    text = client.get(shared(app, hostile[0])).text
    assert "evil()" in text
    assert "<script>evil" not in text
    Inert().feed(text)


@pytest.mark.parametrize("part", ["bundle", "output/9999/x", "notebook"])
def test_what_a_report_has_not_is_told_without_a_trace_of_its_run(
    client, maker: Maker, run, link, part
):
    maker.change(run, notebook=None, record=None)
    answer = client.get(f"{link}/{part}")
    assert answer.status_code == 404
    assert "The report that is shared here does not have that." in answer.text
    assert run.id not in answer.text


def test_of_another_run_a_link_opens_nothing(client, maker: Maker, link):
    other = maker.run(maker.evaluation(maker.commit(maker.project("other"), 7)))
    for path in (f"/../../runs/{other.id}", f"/runs/{other.id}", "/provenance", "/log"):
        assert client.get(f"{link}{path}").status_code == 404


def test_opening_a_link_writes_nothing(app, client, link):
    sent: list[str] = []
    engine = app.extensions["provenote"].ledger.engine
    event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    for path in ("", "/report", "/notebook"):
        assert client.get(f"{link}{path}").status_code == 200
    assert sent
    assert not [one for one in sent if not one.lstrip().upper().startswith(("SELECT", "BEGIN"))]


def test_a_link_is_revoked_on_the_page_of_the_run_once_and_for_good(app, client, run, link):
    (row,) = rows(app)
    answer = press(client, f"/runs/{run.id}", f"/shares/{row.id}/revoke")
    assert (answer.status_code, answer.location) == (303, f"/runs/{run.id}#shares")
    assert client.get(link).status_code == 410
    page = client.get(f"/runs/{run.id}").text
    assert "revoked" in page
    assert f'action="/shares/{row.id}/revoke"' not in page


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2013-01-01", "a moment to come"),
        ("2999-01-01", "at most 366 days away"),
        ("soon", "is no date or instant"),
    ],
)
def test_an_end_that_cannot_be_is_refused_in_words(app, client, run, until, told):
    answer = press(client, f"/runs/{run.id}", f"/runs/{run.id}/shares", until=until)
    assert (answer.status_code, told in answer.text) == (400, True)
    assert rows(app) == []


def test_buttons_need_the_token_of_their_page(app, client, run, link):
    (row,) = rows(app)
    assert client.post(f"/runs/{run.id}/shares").status_code == 400
    assert client.post(f"/shares/{row.id}/revoke").status_code == 400
    assert len(rows(app)) == 1
    assert client.get(link).status_code == 200


def test_a_run_without_a_page_offers_no_link(client, maker: Maker):
    bare = maker.run(maker.evaluation(maker.commit(maker.project(), 1)), html=None)
    assert f"/runs/{bare.id}/shares" not in client.get(f"/runs/{bare.id}").text
    answer = client.post(f"/api/v1/runs/{bare.id}/shares", json={})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "nothing_to_share")


def test_programs_make_list_and_revoke_links(client, run):
    made = client.post(f"/api/v1/runs/{run.id}/shares", json={"days": 2})
    assert made.status_code == 201
    address = made.json["url"].removeprefix("http://localhost")
    assert client.get(address).status_code == 200
    (told,) = client.get(f"/api/v1/runs/{run.id}/shares").json["items"]
    assert "url" not in told
    assert (told["id"], told["open"], told["run"]) == (made.json["id"], True, run.id)
    for _ in range(2):
        ended = client.post(f"/api/v1/shares/{told['id']}/revoke", json={})
        assert (ended.status_code, ended.json["open"]) == (200, False)
    assert client.get(address).status_code == 410
    both = client.post(f"/api/v1/runs/{run.id}/shares", json={"days": 2, "until": "2030-01-01"})
    assert both.status_code == 400
    for body in ({"days": 0}, {"days": 367}, {"until": "never"}, {"for": 1}):
        assert client.post(f"/api/v1/runs/{run.id}/shares", json=body).status_code == 400
    assert client.get("/api/v1/runs/run_x/shares").status_code == 404
    assert client.post("/api/v1/shares/share_x/revoke", json={}).status_code == 404
