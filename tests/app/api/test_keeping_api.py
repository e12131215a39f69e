"""Tags, pins, comments, deleting and retention through the interface for programs."""

import pytest

from provenance.ledger.claims import claim, finish
from provenance.ledger.tables import Run

RUNS = "/api/v1/projects/weather/reports/daily/runs"


@pytest.fixture
def run(client, project, installation):
    """The id of a run that has ended."""
    made = client.post(RUNS, json={}).json["id"]
    with installation.ledger.writing() as session:
        finish(session, claim(session, Run, made, "worker", 60.0), verdict="passed")
    return made


def test_notes_are_put_and_taken_away(client, run):
    path = f"/api/v1/runs/{run}"
    assert client.get(f"{path}/notes").json == {"run": run, "tags": [], "pins": [], "comments": []}
    client.put(f"{path}/tags/for the paper", json={})
    client.put(f"{path}/tags/a/b", json={})
    client.post(f"{path}/comments", json={"text": "Snow."})
    told = client.post(f"{path}/pin", json={"reason": "audit"}).json
    assert told["tags"] == ["a/b", "for the paper"]
    assert [(one["holder"], one["reason"]) for one in told["pins"]] == [("local", "audit")]
    (comment,) = told["comments"]
    assert (comment["actor"], comment["text"]) == ("local", "Snow.")
    client.delete(f"{path}/tags/a/b", json={})
    client.post(f"{path}/pin", json={"pinned": False})
    left = client.delete(f"/api/v1/comments/{comment['id']}", json={}).json
    assert left == {"run": run, "tags": ["for the paper"], "pins": [], "comments": []}


def test_runs_are_deleted_and_brought_back(client, run):
    told = client.post("/api/v1/runs/delete", json={"runs": [run, run]}).json
    assert told["runs"] == [run]
    gone = client.get(f"/api/v1/runs/{run}")
    assert (gone.status_code, gone.json["error"]["code"]) == (410, "deleted_run")
    assert told["deletion"] in gone.json["error"]["hint"]
    assert client.get("/api/v1/runs").json["items"] == []
    undone = client.post(f"/api/v1/deletions/{told['deletion']}/undo", json={}).json
    assert undone == told
    assert client.get(f"/api/v1/runs/{run}").status_code == 200


def test_how_long_pages_are_kept_is_set(client, run):
    kept = client.put("/api/v1/projects/weather/keep", json={"days": 90}).json
    (project,) = kept["projects"]
    assert (project["days"], [one["days"] for one in project["reports"]]) == (90, [90])
    own = client.put("/api/v1/projects/weather/keep", json={"report": "daily", "days": 7}).json
    assert own["projects"][0]["reports"][0]["days"] == 7
    assert own["measured_at"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "runs/run_none/tags/x", {}, 404),
        ("PUT", "runs/{run}/tags/-", {}, 400),
        ("DELETE", "runs/{run}/tags/x", {}, 404),
        ("POST", "runs/{run}/comments", {"text": " "}, 400),
        ("POST", "runs/{run}/comments", {}, 400),
        ("POST", "runs/{run}/pin", {"until": "soon"}, 400),
        ("POST", "runs/{run}/pin", {"pinned": False}, 404),
        ("DELETE", "comments/none", {}, 404),
        ("POST", "runs/delete", {"runs": []}, 400),
        ("POST", "runs/delete", {"runs": ["run_none"]}, 404),
        ("POST", "runs/delete", {"runs": "all"}, 400),
        ("POST", "deletions/none/undo", {}, 404),
        ("PUT", "projects/weather/keep", {"days": 0}, 400),
        ("PUT", "projects/weather/keep", {"report": "dialy", "days": 1}, 404),
        ("PUT", "projects/nothing/keep", {"days": 1}, 404),
    ],
)
def test_what_is_wrong_is_told(client, run, method, path, body, status):
    answer = client.open(f"/api/v1/{path.format(run=run)}", method=method, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json["error"]["message"]
