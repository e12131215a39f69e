"""Programs ask for several values of parameters at once."""

import pytest

from app.api.v1.models import EvaluationObject
from tests.app.intake.world import rows

EVALUATIONS = "/api/v1/projects/weather/reports/daily/evaluations"


def test_every_combination_becomes_a_run_of_one_evaluation(client, project, installation, bell):
    several = {"day": ["2013-02-01 .. 2013-02-03"], "limit": [1, "2"]}
    answer = client.post(EVALUATIONS, json={"several": several, "params": {"note": "x"}})
    told = answer.json
    assert answer.status_code == 202
    assert answer.headers["Location"] == told["links"]["self"]
    assert set(told) == set(EvaluationObject.model_fields)
    params = [(run["params"]["day"], run["params"]["limit"]) for run in told["runs"]]
    assert params == [(f"2013-02-0{day}", limit) for day in (1, 2, 3) for limit in (1, 2)]
    assert {run["params"]["note"] for run in told["runs"]} == {"x"}
    assert (told["trigger"], told["status"]) == ("api", "running")
    assert bell.runs == [run["id"] for run in told["runs"]]
    assert rows(installation)["evaluation"] == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "several"),
        ({"several": {"day": "2013-02-01"}}, "several"),
        ({"several": {"day": []}}, "day: found no values, expected at least one."),
        ({"several": {"dya": ["2013-02-01"]}}, "Did you mean 'day'?"),
        ({"several": {"weights": [[1]]}}, "weights is a list, which has one value at a time."),
        ({"several": {"limit": [{"a": 1}]}}, "limit: found {'a': 1} (dict)"),
        ({"several": {"limit": ["0 .. 1000000000000"]}}, "has more than 400 values"),
        ({"several": {"factor": ["0 .. 1 step 0.01"], "limit": ["1 .. 9"]}}, "make 909 runs"),
    ],
)
def test_what_is_no_sweep_is_refused(client, project, installation, body, text):
    answer = client.post(EVALUATIONS, json=body)
    assert answer.status_code == 400
    assert text in answer.text
    assert rows(installation) == {}


def test_with_nothing_several_it_is_an_evaluation_of_one_run(client, project):
    assert len(client.post(EVALUATIONS, json={"several": {}}).json["runs"]) == 1
