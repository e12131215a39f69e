import json
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.api.v1.models import RunObject
from provenance.ledger.claims import Claim, claim, close_evaluation_if_done, finish
from provenance.ledger.states import Status
from provenance.ledger.tables import Check, Evaluation, Metric, Run, RunInput
from provenance.ledger.times import CaseKey, Took, remember_took
from tests.app.intake.world import rows

RUNS = "/api/v1/projects/weather/reports/daily/runs"


@pytest.fixture
def ask(client, project):
    def asked(path=RUNS, **body):
        return client.post(path, json=body)

    return asked


def end(installation, run_id, **values):
    with installation.ledger.writing() as session:
        held = claim(session, Run, run_id, "worker", 60.0)
        finish(session, held, **{"verdict": "passed"} | values)


def test_a_run_is_accepted(ask, client, repository, installation, bell):
    answer = ask(params={"day": "2013-02-28", "limit": 7}, commit="main", force=True)

    run = answer.json
    assert answer.status_code == 202
    assert set(run) == set(RunObject.model_fields)
    assert answer.headers["Location"] == run["links"]["self"]
    assert run["links"]["self"] == f"https://reports.example.org/api/v1/runs/{run['id']}"
    assert run["commit"] == repository.git("rev-parse", "HEAD")
    assert (run["project"], run["report"], run["branch"]) == ("weather", "daily", "main")
    assert (run["status"], run["verdict"], run["reused"]) == ("queued", None, False)
    assert (run["trigger"], run["actor"]) == ("api", "local")
    assert run["params"]["limit"] == 7
    assert run["created_at"].endswith("Z")
    assert (run["started_at"], run["key"], run["record"], run["error"]) == (None,) * 4
    assert (run["metrics"], run["checks"], run["inputs"]) == ([], [], [])
    assert "report" not in run["links"]
    assert client.get(f"/api/v1/runs/{run['id']}").json == run
    assert bell.runs == [run["id"]]
    with installation.ledger.reading() as session:
        assert session.scalars(select(Evaluation)).one().force is True


def test_an_empty_request_takes_the_defaults(ask):
    assert ask().json["params"]["day"] == "2013-01-31"


def test_a_finished_run_tells_everything(ask, client, installation):
    run_id = ask().json["id"]
    record = installation.store.put_bytes(b'{"schema":1}').sha256
    with installation.ledger.writing() as session:
        session.add(Metric(run_id=run_id, name="rmse", position=0, value=1.5, better="lower"))
        session.add(Check(run_id=run_id, position=0, ok=True, message="rows"))
        session.add(
            RunInput(
                run_id=run_id,
                name="departures",
                sha256="e" * 64,
                size=3,
                media_type="text/csv",
                producer="departures",
                producer_key="k",
            )
        )
    assert client.get(f"/api/v1/runs/{run_id}/provenance").status_code == 404
    end(installation, run_id, record=record, key="k" * 64, html="h" * 64)

    run = client.get(f"/api/v1/runs/{run_id}").json
    RunObject.model_validate(run)
    assert (run["status"], run["verdict"]) == ("finished", "passed")
    assert run["metrics"] == [{"name": "rmse", "value": 1.5, "unit": None, "better": "lower"}]
    assert run["checks"] == [{"ok": True, "message": "rows"}]
    assert run["inputs"][0]["sha256"] == "e" * 64
    assert run["links"]["report"].endswith(f"/runs/{run_id}/report")
    provenance = client.get(f"/api/v1/runs/{run_id}/provenance")
    assert provenance.mimetype == "application/json"
    assert provenance.json == {"schema": 1}


def test_waiting_answers_when_the_run_has_ended(ask, installation, bell):
    def work():
        while not bell.runs:
            time.sleep(0.01)
        time.sleep(0.3)
        end(installation, bell.runs[0])

    worker = threading.Thread(target=work)
    worker.start()
    answer = ask(RUNS + "?wait=30")
    worker.join()
    assert answer.status_code == 200
    assert answer.json["verdict"] == "passed"


def test_waiting_has_an_end(ask):
    answer = ask(RUNS + "?wait=0.2")
    assert answer.status_code == 202
    assert answer.json["status"] == "queued"
    for wait in ("61", "-1", "x", "nan", "inf"):
        assert ask(f"{RUNS}?wait={wait}").status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"params": {"dya": "2013-01-01"}}, 400, "Did you mean 'day'"),
        ({"params": {"x=1;import os;os.abort()#": 1}}, 400, "not a parameter"),
        ({"params": {"__class__": 1}}, 400, "not a parameter"),
        ({"params": {"day": "2014-01-01"}}, 400, "2013-12-31"),
        ({"params": {"limit": True}}, 400, "limit"),
        ({"params": {"weights": {"a": 1}}}, 400, "weights"),
        ({"params": []}, 400, "params"),
        ({"params": None}, 400, "params"),
        ({"force": "yes"}, 400, "force"),
        ({"force": 1}, 400, "force"),
        ({"comit": "main"}, 400, "comit"),
        ({"commit": 5}, 400, "commit"),
        ({"commit": "--output=x"}, 400, "output"),
        ({"commit": "main..topic"}, 400, "main..topic"),
        ({"commit": "nowhere"}, 404, "main"),
        ({"commit": "1" * 40}, 404, "1111"),
    ],
)
def test_what_is_wrong_is_told(ask, installation, body, status, text):
    answer = ask(**body)
    assert answer.status_code == status
    assert set(answer.json["error"]) >= {"code", "message", "hint"}
    assert text in json.dumps(answer.json["error"])
    assert rows(installation) == {}


def test_each_problem_is_named(ask):
    answer = ask(params={"limit": "many", "day": "x"})
    problems = answer.json["error"]["problems"]
    assert {problem["name"] for problem in problems} == {"limit", "day"}


def test_a_broken_manifest_is_told_by_its_lines(ask, repository):
    repository.commit("Break it", provenote_toml='[project]\nname = "x"\n[reprots.a]\n')
    answer = ask()
    assert answer.status_code == 400
    assert "provenote.toml:3" in answer.json["error"]["problems"][0]["where"]


def test_unknown_things_are_not_found(client, ask):
    for path in (
        "/api/v1/projects/wether/reports/daily/runs",
        "/api/v1/projects/weather/reports/dayly/runs",
        "/api/v1/runs/run_0/cancel",
        "/api/v1/runs/run_0/rerun",
        "/api/v1/nothing",
    ):
        answer = ask(path)
        assert answer.status_code == 404, path
        assert answer.json["error"]["message"]
    for path in (
        "/api/v1/projects/wether",
        "/api/v1/runs/run_0",
        "/api/v1/runs/run_0/provenance",
        "/api/v1/evaluations/eval_0",
        "/api/v1/nothing",
        "/api/v1/runs?project=wether",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert answer.json["error"]["message"]


def test_a_repository_that_is_gone_is_unavailable(ask, repository):
    repository.path.rename(repository.path.with_name("gone"))
    answer = ask()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"{}"',
        b'{"params": {"limit": NaN}}',
        b'{"params": {"note": "\\ud800"}}',
        b'{"params":' * 50_000,
        b"\xff",
    ],
)
def test_bodies_that_are_no_json_are_refused(client, project, installation, body):
    for path in (RUNS, "/api/v1/runs/run_0/rerun", "/api/v1/runs/run_0/cancel"):
        answer = client.post(path, data=body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json["error"]["code"] == "payload"
    assert client.post(RUNS, content_type="application/json").status_code == 400


def test_a_queued_run_is_cancelled(ask, client):
    run_id = ask().json["id"]
    answer = client.post(f"/api/v1/runs/{run_id}/cancel", content_type="application/json")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["verdict"]) == ("finished", "cancelled")
    evaluation = answer.json["links"]["evaluation"].rpartition("/")[2]
    found = client.get(f"/api/v1/evaluations/{evaluation}").json
    assert (found["status"], found["verdict"]) == ("finished", "cancelled")


def test_a_running_run_is_told_to_stop(ask, client, installation):
    run_id = ask().json["id"]
    with installation.ledger.writing() as session:
        claim(session, Run, run_id, "worker", 60.0)
    assert ask(f"/api/v1/runs/{run_id}/cancel").status_code == 202


def test_a_run_is_run_again(ask, client, installation):
    old = ask(params={"limit": 1}).json
    answer = client.post(f"/api/v1/runs/{old['id']}/rerun", content_type="application/json")
    assert answer.status_code == 202
    assert answer.json["id"] != old["id"]
    assert answer.json["params"] == old["params"]
    assert (answer.json["commit"], answer.json["branch"]) == (old["commit"], "main")
    assert ask(f"/api/v1/runs/{old['id']}/rerun", force=True).status_code == 202
    assert ask(f"/api/v1/runs/{old['id']}/rerun", force="yes").status_code == 400
    with installation.ledger.reading() as session:
        forced = session.scalars(select(Evaluation.force).order_by(Evaluation.id)).all()
    assert forced == [False, False, True]


def test_projects_and_evaluations_are_shown(ask, client):
    run = ask().json
    projects = client.get("/api/v1/projects").json["items"]
    assert [project["name"] for project in projects] == ["weather"]
    assert projects[0]["reports"] == ["daily"]
    assert "url" not in projects[0]
    assert client.get("/api/v1/projects/weather").json == projects[0]
    evaluation = client.get(f"/api/v1/evaluations/{run['links']['evaluation'].split('/')[-1]}")
    assert evaluation.json["runs"][0]["id"] == run["id"]
    assert evaluation.json["status"] == Status.RUNNING
    assert evaluation.json["commit"] == run["commit"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
NAMES = st.sampled_from(["day", "limit", "factor", "smooth", "station", "note", "weights"])


@pytest.fixture
def quiet(client, project):
    return client


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(params=st.dictionaries(NAMES | st.text(), JSON, max_size=4))
def test_no_parameters_break_the_interface(quiet, params):
    answer = quiet.post(RUNS, data=json.dumps({"params": params}), content_type="application/json")
    assert answer.status_code in (202, 400)
    if answer.status_code == 202:
        assert set(answer.json["params"]) >= set(params)


def test_progress_is_told_until_the_run_has_ended(ask, client, installation):
    first, second = (ask(params={"limit": limit}).json for limit in (1, 2))
    assert (first["progress"]["queue_position"], second["progress"]["queue_position"]) == (1, 2)
    with installation.ledger.writing() as session:
        assert claim(session, Run, first["id"], "worker", 60.0)
        row = session.get_one(Run, first["id"])
        row.doing, row.cells_done, row.cells_total = "cell 4", 3, 9
        case = CaseKey(row.project_id, row.report, row.case_key)
        remember_took(session, case, Took(100.0, {3: 500.0}, 100.0, 9))
    told = client.get(f"/api/v1/runs/{first['id']}").json["progress"]
    assert (told["doing"], told["cells_done"], told["cells_total"]) == ("cell 4", 3, 9)
    assert (told["expected_seconds"], told["left_seconds"]) == (700.0, 600.0)
    assert 0 <= told["elapsed"] < 100
    listed = {run["id"]: run["progress"] for run in client.get("/api/v1/runs").json["items"]}
    assert listed[second["id"]]["queue_position"] == 1
    assert listed[second["id"]]["queue_seconds"] == pytest.approx(600, abs=1)
    ask(f"/api/v1/runs/{second['id']}/cancel")
    assert client.get(f"/api/v1/runs/{second['id']}").json["progress"] is None


def test_a_whole_evaluation_is_cancelled(ask, client, installation):
    first = ask().json
    address = first["links"]["evaluation"].replace("https://reports.example.org", "/api/v1")
    with installation.ledger.writing() as session:
        assert claim(session, Run, first["id"], "worker", 60.0)
    answer = ask(f"{address}/cancel")
    assert (answer.status_code, answer.json["status"]) == (202, "running")
    assert client.get(address).json["runs"][0]["progress"]["cells_done"] == 0
    with installation.ledger.writing() as session:
        run = session.get_one(Run, first["id"])
        finish(session, Claim(Run, run.id, "worker", 1), verdict="cancelled")
        close_evaluation_if_done(session, run.evaluation_id)
    again = ask(f"{address}/cancel")
    assert (again.status_code, again.json["verdict"]) == (200, "cancelled")
    assert ask("/api/v1/evaluations/eval_0/cancel").status_code == 404
