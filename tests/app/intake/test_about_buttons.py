"""The buttons that ask about a run."""

from provenance.ledger.tables import Run
from tests.app.api.test_again_api import RUNS, end


def run_of(client, installation) -> str:
    made: str = client.post(RUNS, json={}).json["id"]
    end(installation, made)
    return made


def press(client, run: str, button: str, **fields: str):
    client.application.config["WTF_CSRF_ENABLED"] = False
    return client.post(f"/runs/{run}/{button}", data=fields)


def test_reproduce_leads_to_the_run_that_does_it(client, project, installation):
    run = run_of(client, installation)
    answer = press(client, run, "reproduce")
    assert answer.status_code == 303
    with installation.ledger.reading() as session:
        row = session.get_one(Run, answer.location.rpartition("/")[2])
        assert (row.purpose, row.again_of) == ("reproduce", run)


def test_where_nobody_can_it_leads_back_to_the_answer(client, project, installation):
    run = run_of(client, installation)
    with installation.ledger.writing() as session:
        session.get_one(Run, run).dirty = "d" * 64
    answer = press(client, run, "reproduce")
    assert (answer.status_code, answer.location) == (303, f"/runs/{run}#reproductions")
    assert "because it ran with uncommitted changes" in client.get(f"/runs/{run}").text


def test_what_if_takes_a_commit_or_a_day(client, project, installation):
    run = run_of(client, installation)
    for fields in ({"code": "main", "as_of": ""}, {"code": " ", "as_of": "2013-02-28"}):
        answer = press(client, run, "whatif", **fields)
        assert answer.status_code == 303
    with installation.ledger.reading() as session:
        row = session.get_one(Run, answer.location.rpartition("/")[2])
        assert (row.purpose, (row.data or {})["as_of"][:10]) == ("whatif", "2013-02-28")
    assert press(client, run, "whatif").status_code == 400
    assert press(client, run, "whatif", as_of="soon").status_code == 400


def test_the_buttons_need_the_pages_token(client, project, installation):
    run = run_of(client, installation)
    for button in ("reproduce", "whatif"):
        assert client.post(f"/runs/{run}/{button}", data={"code": "main"}).status_code == 400
