"""A run may be asked for as of a moment, in the form and by programs."""

import pytest
from sqlalchemy import select

from app.intake.request import Requester, accept_again
from app.work.doorbell import SilentDoorbell
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Run
from tests.app.intake.test_form import FORM, tag, token

RUNS = "/api/v1/projects/weather/reports/daily/runs"
END_OF_DAY = "2013-02-01T23:59:59.999999"


def only(installation) -> Run:
    with installation.ledger.reading() as session:
        return session.scalars(select(Run)).one()


def test_a_program_asks_for_a_date_and_gets_its_end(client, project, installation):
    answer = client.post(RUNS, json={"as_of": "2013-02-01"})
    assert answer.status_code == 202
    assert answer.json["as_of"] == f"{END_OF_DAY}Z"
    assert only(installation).data == {"as_of": f"{END_OF_DAY}+00:00"}


def test_without_it_the_run_reads_what_is_current(client, project, installation):
    assert client.post(RUNS, json={}).json["as_of"] is None
    assert only(installation).data is None


@pytest.mark.parametrize("text", ["yesterday", "2013-02-31", "1"])
def test_a_text_that_is_no_moment_is_refused(client, project, installation, text):
    answer = client.post(RUNS, json={"as_of": text})
    assert answer.status_code == 400
    assert f"as_of '{text}' is no date or instant." in answer.json["error"]["message"]
    with installation.ledger.reading() as session:
        assert session.scalars(select(Run)).all() == []


def test_the_form_takes_a_moment_and_shows_a_mistake_again(client, project, installation):
    assert 'value="2013-02-01"' in tag(client.get(f"{FORM}?as_of=2013-02-01").text, "as_of")
    sent = {"csrf_token": token(client), "param.day": "2013-01-31"}
    refused = client.post(FORM, data=sent | {"as_of": "soon"})
    assert refused.status_code == 400
    assert "is no date or instant." in refused.text
    assert 'value="soon"' in tag(refused.text, "as_of")
    done = client.post(FORM, data=sent | {"as_of": "2013-02-01T12:00Z", "param.limit": "3"})
    assert done.status_code == 303, done.text
    assert only(installation).data == {"as_of": "2013-02-01T12:00:00+00:00"}


def test_a_run_that_is_made_again_reads_the_same_data(client, project, installation):
    client.post(RUNS, json={"as_of": "2013-02-01"})
    old = only(installation)
    old.data = {**(old.data or {}), "publish": True}
    requester = Requester(Trigger.API, "ada")
    again = accept_again(installation, old, False, requester, SilentDoorbell())
    assert again.data == {"as_of": f"{END_OF_DAY}+00:00"}
