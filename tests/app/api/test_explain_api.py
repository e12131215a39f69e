"""Explanations and their opposite for programs."""

import pytest

from tests.app.archive.maker import Maker
from tests.app.archive.records import Facts, recorded_run


@pytest.fixture
def pair(app):
    maker = Maker(app.extensions["provenote"])
    evaluation = maker.evaluation(maker.commit(maker.project("skies"), 1))
    facts = [Facts(), Facts(source="RAIN = 2\n", given="2")]
    return [recorded_run(maker, evaluation, fact).id for fact in facts]


def test_two_runs_are_compared(client, pair):
    answer = client.get(f"/api/v1/explain?a={pair[0]}&b={pair[1]}")
    assert answer.status_code == 200
    told = answer.json
    assert (told["a"], told["b"]) == tuple(pair)
    (cause,) = told["causes"]
    assert (cause["kind"], cause["subject"]) == ("imported_code", "stages/helper.py")
    assert "+RAIN = 2" in cause["diff"]
    assert [job["same_key"] for job in told["jobs"]] == [False, False]
    assert told["results"]["same"] is True
    assert told["lines"] == []


def test_one_run_is_told(client, pair):
    told = client.get(f"/api/v1/explain?a={pair[0]}").json
    assert (told["a"], told["b"], told["causes"]) == (pair[0], None, [])
    assert {line["topic"] for line in told["lines"]} >= {"asked", "code", "stage"}


@pytest.mark.parametrize("query", ["a=run_0", "a={0}&b=run_0"])
def test_an_unknown_run_is_not_found(client, pair, query):
    answer = client.get(f"/api/v1/explain?{query.format(*pair)}")
    assert answer.status_code == 404
    assert answer.json["error"]["message"] == "There is no run 'run_0'."


@pytest.mark.parametrize("query", ["", "a=x&c=y"])
def test_a_query_of_another_form_is_refused(client, pair, query):
    assert client.get(f"/api/v1/explain?{query}").status_code == 400


def test_users_of_a_thing_are_listed(client, pair):
    told = client.get("/api/v1/used-by?file=stages/helper.py&project=skies").json
    (report,) = told["reports"]
    assert [run["id"] for run in report["runs"]] == pair[::-1]
    assert report["stands"] is True
    assert report["cases"][0]["latest"] == pair[1]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "which_thing"),
        ("file=a&package=b", 400, "which_thing"),
        ("artifact=123", 400, "wrong_digest"),
        ("file=nothing.py", 404, "unknown_thing"),
        ("thing=a", 400, "invalid"),
    ],
)
def test_one_thing_that_is_known_has_to_be_named(client, pair, query, status, code):
    answer = client.get(f"/api/v1/used-by?{query}")
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
