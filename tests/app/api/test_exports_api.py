import io
import json
import zipfile

import pytest

from provenance.export.run_facet import RUN_FACET_SCHEMA
from provenance.ledger.tables import Run
from tests.support.stories import Writer, lose, run_without_jobs


@pytest.fixture
def run_id(installation) -> str:
    url = "https://ada:secret@git.example.org/p.git"
    return Writer(installation.ledger, installation.store).write(url=url)


def export(client, run_id, **query):
    return client.get(f"/api/v1/runs/{run_id}/export", query_string=query)


def test_a_run_is_exported_as_prov_json(client, run_id):
    answer = export(client, run_id, format="prov-json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert f"run:{run_id}" in answer.json["activity"]


def test_a_run_is_exported_as_open_lineage_events_one_a_line(client, run_id):
    answer = export(client, run_id, format="openlineage")
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert [event["eventType"] for event in events] == ["START", "START", "COMPLETE", "COMPLETE"]


def test_a_run_is_exported_as_a_crate_to_be_saved(client, run_id):
    answer = export(client, run_id, format="ro-crate")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert f"{run_id}.crate.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {"ro-crate-metadata.json", "report.html"} <= set(archive.namelist())
        assert "stages/features/output.csv" in archive.namelist()


def test_a_crate_can_be_had_without_data(client, run_id):
    answer = export(client, run_id, format="ro-crate", without_data="true")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "stages/features/output.csv" not in archive.namelist()


def test_a_bundle_is_the_same_from_the_page_of_the_run_and_from_the_interface(client, run_id):
    answer = export(client, run_id, format="bundle")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert 'filename="daily-' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist()[0] == "manifest.json"
        assert {"report.html", "notebook.ipynb"} <= set(archive.namelist())
    shown = client.get(f"/runs/{run_id}/bundle")
    assert shown.data == answer.data
    assert shown.headers["Content-Security-Policy"].startswith("sandbox")
    assert f'href="/runs/{run_id}/bundle"' in client.get(f"/runs/{run_id}").text


def test_a_bundle_without_a_page_or_with_a_lost_one_is_told(client, installation, run_id):
    bare = run_without_jobs(installation.ledger)
    answer = export(client, bare, format="bundle")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "nothing_to_take")
    assert f'href="/runs/{bare}/bundle"' not in client.get(f"/runs/{bare}").text
    assert client.get("/runs/run_nothing/bundle").status_code == 404
    with installation.ledger.reading() as session:
        run = session.get_one(Run, run_id)
    for lost in (run.notebook, run.html):
        installation.store.path(str(lost)).unlink()
        assert client.get(f"/runs/{run_id}/bundle").status_code == 404


@pytest.mark.parametrize("form", ["prov-json", "openlineage", "ro-crate", "bundle"])
def test_nobodys_password_is_exported(client, run_id, form):
    data = export(client, run_id, format=form).data
    if form in ("ro-crate", "bundle"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    assert form == "bundle" or b"git.example.org/p.git" in data
    assert b"secret" not in data


@pytest.mark.parametrize("form", ["prov-json", "openlineage"])
def test_a_hostile_value_breaks_no_line_and_moves_no_cursor(client, installation, form):
    params = {"day": "a\u2028b\x85c\x9b2J\u202e]]>\x7f"}
    writer = Writer(installation.ledger, installation.store)
    text = export(client, writer.write(params=params), format=form).text
    assert set(text) <= set(map(chr, range(32, 127))) | {"\n"}
    if form == "openlineage":
        events = [json.loads(line) for line in text.splitlines()]
        assert events[0]["run"]["facets"]["provenote"]["params"] == params


def test_the_crate_has_the_page_that_the_run_shows(client, installation):
    page = installation.store.put_bytes(b"<html>new words</html>").sha256
    run_id = Writer(installation.ledger, installation.store).write(html=page)
    answer = export(client, run_id, format="ro-crate")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.read("report.html") == client.get(f"/runs/{run_id}/report").data
        assert archive.read("executed/report.html") == b"<html>page</html>"


def test_an_unknown_format_or_run_is_told(client, run_id):
    answer = export(client, run_id, format="pdf")
    assert answer.status_code == 400
    assert "format" in answer.json["error"]["message"]
    assert export(client, "run_nothing", format="prov-json").status_code == 404


def test_a_lost_record_is_told(client, installation, run_id):
    lose(installation.ledger, installation.store, run_id, "features")
    answer = export(client, run_id, format="prov-json")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "lost_record")


def test_the_schema_of_our_facet_is_where_the_events_say(client):
    assert client.get("/api/v1/schemas/run-facet").json == RUN_FACET_SCHEMA
