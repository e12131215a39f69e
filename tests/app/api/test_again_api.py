"""Making runs again, and "what if", through the interface for programs."""

import pytest

from provenance.ledger.claims import claim, finish
from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.ledger.tables import Run

RUNS = "/api/v1/projects/weather/reports/daily/runs"


@pytest.fixture
def run(client, project, installation):
    """A run that has ended."""
    made = client.post(RUNS, json={}).json
    end(installation, made["id"])
    return made["id"]


def end(installation, run_id, **values):
    with installation.ledger.writing() as session:
        held = claim(session, Run, run_id, "worker", 60.0)
        finish(session, held, **{"verdict": "passed"} | values)


def test_a_reproduction_is_accepted_as_a_run_of_its_own(client, run, installation, bell):
    answer = client.post(f"/api/v1/runs/{run}/reproduce", json={})
    again = answer.json
    assert answer.status_code == 202
    assert answer.headers["Location"] == again["links"]["self"]
    assert (again["purpose"], again["again_of"]) == ("reproduce", run)
    assert (again["trigger"], again["actor"]) == ("reproduce", "local")
    original = client.get(f"/api/v1/runs/{run}").json
    assert (again["commit"], again["params"]) == (original["commit"], original["params"])
    assert bell.runs == [run, again["id"]]
    with installation.ledger.reading() as session:
        row = session.get_one(Run, again["id"])
        assert (row.evaluation.force, row.data) == (True, {"tolerance": 1e-9})


def test_the_answers_are_listed_newest_first(client, run, installation):
    again = client.post(f"/api/v1/runs/{run}/reproduce", json={"tolerance": 0.5}).json["id"]
    path = f"/api/v1/runs/{run}/reproductions"
    assert client.get(path).json == {
        "badge": "Never reproduced.", "under_way": [again], "items": [],
    }  # fmt: skip
    end(installation, again)
    for grade in ("identical", "differs"):
        with installation.ledger.writing() as session:
            told = Attempted(run, again, grade, f"{grade.title()}.", {"cell": 3}, "ada")
            row = write_reproduction(session, told)
    found = client.get(path).json
    assert found["badge"] == f"Reproduced 2 times, last on {row.at:%Y-%m-%d}: differs."
    assert found["under_way"] == []
    assert [item["answer"] for item in found["items"]] == ["differs", "identical"]
    assert found["items"][0] == {
        "id": row.id, "run": run, "again": again, "answer": "differs", "sentence": "Differs.",
        "details": {"cell": 3}, "actor": "ada", "at": found["items"][0]["at"],
    }  # fmt: skip


def test_what_nobody_can_do_is_a_conflict_and_an_answer(client, run, installation):
    with installation.ledger.writing() as session:
        session.get_one(Run, run).dirty = "d" * 64
    answer = client.post(f"/api/v1/runs/{run}/reproduce", json={})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "cannot_reproduce")
    (item,) = client.get(f"/api/v1/runs/{run}/reproductions").json["items"]
    assert (item["answer"], item["again"]) == ("cannot", None)
    assert item["sentence"] == answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("verdict", "error", "said"),
    [
        ("timed_out", {"kind": "timed_out", "message": "Too slow."}, "timed_out): Too slow."),
        ("error", {"kind": "source_not_set", "message": "No address."}, "error): No address."),
        ("cancelled", None, "(cancelled)."),
    ],
)
def test_a_run_without_a_result_of_its_own_has_none_to_make_again(
    client, project, installation, verdict, error, said
):
    run = client.post(RUNS, json={}).json["id"]
    end(installation, run, verdict=verdict, error=error)
    answer = client.post(f"/api/v1/runs/{run}/reproduce", json={})
    assert answer.status_code == 409
    assert answer.json["error"]["message"].endswith(said)


@pytest.mark.parametrize(
    "body",
    [{"tolerance": -1}, {"tolerance": 1}, {"tolerance": "nan"}, {"x": 1}, {"tolerance": None}],
)
def test_a_tolerance_that_is_none_is_refused(client, run, body):
    assert client.post(f"/api/v1/runs/{run}/reproduce", json=body).status_code == 400


def test_what_goes_on_or_is_unknown_is_refused(client, project):
    queued = client.post(RUNS, json={}).json["id"]
    answer = client.post(f"/api/v1/runs/{queued}/reproduce", json={})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "not_over")
    for path in ("reproduce", "whatif"):
        assert client.post(f"/api/v1/runs/run_x/{path}", json={}).status_code == 404
    assert client.get("/api/v1/runs/run_x/reproductions").status_code == 404


def test_what_if_is_accepted_with_one_thing_swapped(client, run):
    answer = client.post(f"/api/v1/runs/{run}/whatif", json={"params": {"limit": 7}})
    made = answer.json
    assert answer.status_code == 202
    assert (made["purpose"], made["again_of"], made["trigger"]) == ("whatif", run, "whatif")
    original = client.get(f"/api/v1/runs/{run}").json
    assert made["params"] == original["params"] | {"limit": 7}
    made = client.post(f"/api/v1/runs/{run}/whatif", json={"as_of": "2013-02-28"}).json
    assert made["as_of"].startswith("2013-02-28T23:59")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "swap"),
        ({"code": "main", "as_of": "2013-02-28"}, 400, "swap"),
        ({"code": "no-such-branch"}, 404, "unknown_revision"),
        ({"as_of": "soon"}, 400, None),
        ({"data": {"x/y": "1"}}, 404, None),
        ({"params": {"limt": 7}}, 400, None),
        ({"nonsense": 1}, 400, None),
    ],
)
def test_a_swap_that_means_nothing_is_told(client, run, body, status, code):
    answer = client.post(f"/api/v1/runs/{run}/whatif", json=body)
    assert answer.status_code == status
    assert code is None or answer.json["error"]["code"] == code


def test_runs_about_runs_are_listed_only_when_asked_for(client, run):
    again = client.post(f"/api/v1/runs/{run}/reproduce", json={}).json["id"]
    asked = client.post(f"/api/v1/runs/{run}/whatif", json={"code": "main"}).json["id"]

    def ids(query=""):
        return [item["id"] for item in client.get(f"/api/v1/runs{query}").json["items"]]

    assert ids() == [run]
    assert ids("?purpose=reproduce") == [again]
    assert ids("?purpose=whatif") == [asked]
    refused = client.get("/api/v1/runs?purpose=reproduced")
    assert (refused.status_code, "reproduce" in refused.json["error"]["hint"]) == (400, True)
