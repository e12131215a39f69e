"""The server looks over a form while one writes."""

import pytest

from tests.app.intake.test_form import FORM, token
from tests.app.intake.world import rows

CHECK = f"{FORM}/check"


@pytest.fixture
def check(client, project):
    csrf = token(client)

    def checked(**fields):
        data = {name.replace("__", "."): value for name, value in fields.items()}
        answer = client.post(CHECK, data={"csrf_token": csrf} | data)
        assert answer.status_code == 200
        return answer.json

    return checked


def problems(told) -> dict[str, str]:
    return {name: text for name, text in told["problems"].items() if text}


def test_a_form_that_is_in_order_has_nothing_told_of_it(check, installation, bell):
    told = check(param__day="2013-02-01", param__limit="3")
    assert (problems(told), told["error"], told["runs"]) == ({}, "", "")
    assert told["days"] == {"field-day": "2013-02-01"}
    assert rows(installation) == {}
    assert bell.runs == []


def test_problems_are_those_that_sending_it_would_tell(check):
    told = check(param__day="2014-01-01", param__limit="11", as_of="soon", commit="-x")
    assert problems(told) == {
        "field-day": "found 2014-01-01, expected at most 2013-12-31.",
        "field-limit": "found 11, expected at most 10.",
        "as_of": "Data as of 'soon' is no date or instant. Write it as 2013-02-28 or "
        "2013-02-28T12:00Z.",
        "commit": problems(told)["commit"],
    }
    assert "-x" in problems(told)["commit"]


def test_names_that_are_no_parameters_are_told(check):
    assert "Did you mean 'day'?" in problems(check(param__dya="2013-01-01"))["field-dya"]


def test_several_values_are_counted(check):
    told = check(several__day="2013-02-01 .. 2013-02-05", several__station=["north", "south"])
    assert told["runs"] == "Makes 10 runs, together one evaluation."
    assert problems(told) == {}


def test_too_many_runs_are_told_before_they_are_asked_for(check):
    told = check(several__day="2013-01-01 .. 2013-12-31", several__station=["north", "south"])
    assert told["runs"] == ""
    assert "These values make 730 runs, and at most 400 can be asked for at once." in told["error"]


def test_a_commit_is_told_by_its_message_and_an_unknown_one_is_looked_for_later(check, repository):
    sha = repository.git("rev-parse", "HEAD")
    assert check(commit=sha[:8])["commit"] == f"{sha[:8]} First report"
    assert check(commit="main")["commit"] == f"{sha[:8]} First report"
    repository.path.rename(repository.path.with_name("gone"))  # nobody is asked for it
    told = check(commit="topic")
    assert told["commit"].startswith("Not known here yet")
    assert problems(told) == {}


def test_the_parameters_are_those_of_the_commit(check, repository, client):
    (repository.path / "reports" / "daily.ipynb").write_text(
        (repository.path / "reports" / "daily.ipynb").read_text().replace("limit = 3", "bound = 3")
    )
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.commit("Another name")
    client.get(f"{FORM}?commit=topic")
    assert "field-limit" in problems(check(param__limit="3", commit="topic"))
    assert problems(check(param__bound="3", commit="topic")) == {}


def test_without_its_token_nothing_is_told(client, project):
    assert client.post(CHECK, data={"param.day": "x"}).status_code == 400


def test_of_what_is_not_there_nothing_is_told(client, project):
    data = {"csrf_token": token(client)}
    for path in ("wether/reports/daily", "weather/reports/dayly"):
        assert client.post(f"/projects/{path}/new/check", data=data).status_code == 404
