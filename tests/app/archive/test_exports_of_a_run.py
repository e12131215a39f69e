"""From the pages of a run to its exports; and what neither pages nor exports show."""

import re
from html import unescape

import pytest

from provenance.ledger.tables import Run
from tests.app.archive.maker import Maker
from tests.support.stories import Writer

URL = "https://ada:canary@secret@git.example.org/p.git"
FORMATS = {"PROV-JSON": "prov-json", "RO-Crate": "ro-crate", "OpenLineage": "openlineage"}


@pytest.fixture
def run_id(maker: Maker) -> str:
    return Writer(maker.installation.ledger, maker.installation.store).write(url=URL)


@pytest.mark.parametrize("page", ["", "/provenance"])
def test_a_run_links_to_each_of_its_exports(client, run_id, page):
    text = client.get(f"/runs/{run_id}{page}").text
    links = {
        word: unescape(address)
        for address, word in re.findall(r'<a href="([^"]*/export[^"]*)"[^>]*>([^<]*)</a>', text)
    }
    assert set(links) == set(FORMATS)
    for word, form in FORMATS.items():
        assert links[word] == f"/api/v1/runs/{run_id}/export?format={form}"
        assert client.get(links[word]).status_code == 200


@pytest.mark.parametrize("page", ["", "/provenance"])
def test_a_run_that_made_nothing_offers_no_export(client, maker: Maker, page):
    commit = maker.commit(maker.project(), 1)
    run = maker.run(maker.evaluation(commit), verdict="error", error={"message": "no manifest"})
    assert "/export" not in client.get(f"/runs/{run.id}{page}").text


def test_no_page_and_no_answer_shows_the_password_of_a_repository(client, maker: Maker, run_id):
    with maker.installation.ledger.reading() as session:
        run = session.get_one(Run, run_id)
        project, evaluation, report = run.project.name, run.evaluation_id, run.report
    pages = [
        *("/", f"/projects/{project}", f"/projects/{project}/reports/{report}"),
        *(f"/runs/{run_id}{tab}" for tab in ("", "/provenance", "/report")),
        *(f"/evaluations/{evaluation}", f"/explain?a={run_id}", f"/explain?a={run_id}&b={run_id}"),
        *("/used-by?kind=file&name=stages/features.py", f"/runs/{run_id}/provenance?format=json"),
    ]
    answers = [
        *(f"/runs/{run_id}", f"/runs/{run_id}/provenance", f"/evaluations/{evaluation}"),
        *(f"/explain?a={run_id}", f"/explain?a={run_id}&b={run_id}", "/runs"),
        *("/projects", f"/projects/{project}"),
        *(f"/runs/{run_id}/export?format={form}" for form in ("prov-json", "openlineage")),
    ]
    shown = ""
    for path in (*pages, *(f"/api/v1{answer}" for answer in answers)):
        answer = client.get(path)
        assert answer.status_code in (200, 404), path
        shown += answer.text if answer.status_code == 200 else ""
        assert not re.search("canary|secret@|ada:", answer.text), path
    assert "git.example.org/p.git" in shown
