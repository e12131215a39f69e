import html
import re

import pytest
from sqlalchemy import select

from provenance.ledger.tables import Evaluation, Run
from tests.app.intake.world import notebook, rows

PLAIN = """
[project]
name = "weather"
[reports.daily]
template = "reports/daily.ipynb"
"""
FORM = "/projects/weather/reports/daily/new"


def token(client) -> str:
    page = client.get(FORM).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


def tag(page: str, name: str) -> str:
    """Return the control with that name, as it stands in the page."""
    found = re.search(rf'<(input|select|textarea)[^>]*name="{re.escape(name)}"[^>]*>', page)
    assert found, name
    return found[0]


def fieldset(page: str, name: str) -> str:
    """Return the heading of the controls of the parameter, as it stands in the page."""
    found = re.search(rf'<fieldset[^>]*id="field-{name}"[^>]*>', page)
    assert found
    return found[0]


@pytest.fixture
def send(client, project):
    def sent(**fields):
        data = {f"param.{name}": value for name, value in fields.items() if name[0] != "_"}
        data |= {name[1:]: value for name, value in fields.items() if name[0] == "_"}
        return client.post(FORM, data={"csrf_token": token(client)} | data)

    return sent


def only_run(installation) -> Run:
    with installation.ledger.reading() as session:
        return session.scalars(select(Run)).one()


def test_every_type_has_its_widget(client, project):
    page = client.get(FORM).text
    assert 'type="text"' in tag(page, "param.day")  # yesterday can be written, too
    assert 'value="2013-01-31"' in tag(page, "param.day")
    assert 'aria-describedby="help-day problem-field-day"' in tag(page, "param.day")
    picker = re.search(r'<input type="date" data-picks="field-day"[^>]*>', page)
    assert picker
    for attribute in ('min="2013-01-01"', 'max="2013-12-31"', 'value="2013-01-31"'):
        assert attribute in picker[0]
    assert "Day of the report" in page
    assert "Only 2013 has data." in page
    for attribute in ('type="number"', 'step="1"', 'min="0"', 'max="10"', 'value="3"'):
        assert attribute in tag(page, "param.limit")
    assert 'step="any"' in tag(page, "param.factor")
    assert 'type="checkbox"' in tag(page, "param.smooth")
    assert "checked" in tag(page, "param.smooth")
    assert 'type="hidden"' in tag(page, "shown.smooth")
    assert re.findall(r'type="radio" name="param.station" value="(\w+)"( checked)?', page) == [
        ("north", ""),
        ("south", " checked"),
    ]
    assert 'value="as usual"' in tag(page, "param.note")
    assert tag(page, "param.weights").startswith("<textarea")
    assert ">\n1\n2</textarea>" in page
    assert "Run afresh" in page


def test_cases_are_offered_and_prefill(client, project):
    page = client.get(FORM).text
    assert "day 2013-03-31, station north" in page
    page = client.get(FORM + "?case=1").text
    assert 'value="2013-03-31"' in tag(page, "param.day")
    assert 'name="param.station" value="north" checked' in page
    for number in ("2", "-1", "x"):
        page = client.get(f"{FORM}?case={number}").text
        assert 'value="2013-01-31"' in tag(page, "param.day")


def test_the_query_prefills(client, project):
    page = client.get(FORM + "?param.day=2013-04-01&limit=9&commit=main&force=1&x=1").text
    assert 'value="2013-04-01"' in tag(page, "param.day")
    assert 'value="9"' in tag(page, "param.limit")
    assert 'value="main"' in tag(page, "commit")
    assert "checked" in tag(page, "force")


def test_sending_the_form_asks_for_a_run(send, installation, bell):
    answer = send(
        day="2013-02-28", limit="7", _force="1", note="a\r\nb", weights="[3]", **{"_commit": ""}
    )
    run = only_run(installation)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/runs/{run.id}"
    assert run.params["day"] == "2013-02-28"
    assert run.params["note"] == "a\nb"
    assert run.params["weights"] == [3]
    assert run.params["smooth"] is True  # its checkbox was not shown
    with installation.ledger.reading() as session:
        evaluation = session.scalars(select(Evaluation)).one()
    assert (evaluation.trigger, evaluation.force) == ("form", True)
    assert bell.runs == [run.id]


def test_an_unticked_checkbox_is_false(send, installation):
    send(**{"_shown.smooth": "1"})
    assert only_run(installation).params["smooth"] is False


def test_mistakes_are_told_beside_their_fields_and_entries_kept(send, installation):
    answer = send(day="", limit="11", note="<b>kept</b>", station="west", _commit="main")
    page = answer.text
    assert answer.status_code == 400
    for name, problem in {
        "day": "day is empty; expected a date like 2013-01-31, yesterday or -3d.",
        "limit": "found 11, expected at most 10.",
        "station": "found 'west', expected one of: north, south. Did you mean 'south'?",
    }.items():
        told = re.search(rf'id="problem-field-{name}"[^>]*>([^<]*)<', page)
        assert told
        assert html.unescape(told[1]).startswith(problem[:40])
    for described in (tag(page, "param.day"), tag(page, "param.limit"), fieldset(page, "station")):
        assert 'aria-invalid="true"' in described
        assert "problem-field-" in described
    assert 'aria-invalid="true"' not in tag(page, "param.note")
    assert 'value="11"' in tag(page, "param.limit")
    assert "&lt;b&gt;kept&lt;/b&gt;" in page
    assert "<b>kept</b>" not in page
    assert 'value="main"' in tag(page, "commit")
    assert rows(installation) == {}


def test_unknown_fields_are_told(send, installation):
    answer = send(dya="2013-01-01")
    assert answer.status_code == 400
    assert "is not a parameter" in html.unescape(answer.text)
    assert rows(installation) == {}


@pytest.mark.parametrize("commit", ["no-such-branch", "--upload-pack=x", "0" * 40])
def test_a_commit_that_is_none_is_told_beside_its_field(send, installation, commit):
    answer = send(_commit=commit, limit="9")
    assert answer.status_code in (400, 404)
    told = re.search(r'id="problem-commit"[^>]*>([^<]*)<', answer.text)
    assert told
    assert told[1]
    assert f'value="{commit}"' in tag(answer.text, "commit")
    assert 'value="9"' in tag(answer.text, "param.limit")
    assert rows(installation) == {}


def test_a_repository_that_is_gone_is_told(send, repository, client):
    csrf = token(client)
    repository.path.rename(repository.path.with_name("gone"))
    answer = client.post(FORM, data={"csrf_token": csrf, "param.limit": "9"})
    assert answer.status_code == 503
    assert 'role="alert"' in answer.text
    assert 'value="9"' in tag(answer.text, "param.limit")


def test_a_form_without_its_token_is_refused(client, project, installation):
    for data in ({}, {"csrf_token": "x"}, {"csrf_token": ""}):
        assert client.post(FORM, data=data).status_code == 400
        assert client.post("/runs/run_1/cancel", data=data).status_code == 400
        assert client.post("/runs/run_1/rerun", data=data).status_code == 400
    assert rows(installation) == {}


def test_unknown_things_are_not_found(client, project):
    assert client.get("/projects/wether/reports/daily/new").status_code == 404
    assert client.get("/projects/weather/reports/dayly/new").status_code == 404
    assert client.get(FORM + "?commit=nowhere").status_code == 404


def test_values_that_may_be_absent_may_be_left_blank(client, project, repository, installation):
    (repository.path / "reports" / "daily.ipynb").write_text(
        notebook("until: date = None\nexact: bool = None\nword: str = None\n")
    )
    repository.commit("Absent values", provenote_toml=PLAIN)
    page = client.get(FORM).text
    assert 'value=""' in tag(page, "param.until")
    assert "required" not in tag(page, "param.until")
    assert 'name="param.exact" value="" checked> none' in page
    blank = {"param.until": "", "param.exact": "", "param.word": "", "csrf_token": token(client)}
    assert client.post(FORM, data=blank).status_code == 303
    run = only_run(installation)
    assert run.params == {"until": None, "exact": None, "word": None}


def test_a_run_is_cancelled_and_repeated_by_its_buttons(send, client, installation, bell):
    send(limit="7")
    run = only_run(installation)
    csrf = {"csrf_token": token(client)}
    answer = client.post(f"/runs/{run.id}/cancel", data=csrf)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/runs/{run.id}")
    assert only_run(installation).verdict == "cancelled"

    answer = client.post(f"/runs/{run.id}/rerun", data=csrf | {"force": "1"})
    new = answer.headers["Location"].rpartition("/")[2]
    assert answer.status_code == 303
    assert bell.runs == [run.id, new]
    with installation.ledger.reading() as session:
        found = session.get_one(Run, new)
        assert found.params == run.params
        assert session.get_one(Evaluation, found.evaluation_id).force is True
    assert client.post("/runs/run_0/cancel", data=csrf).status_code == 404
    assert client.post("/runs/run_0/rerun", data=csrf).status_code == 404
