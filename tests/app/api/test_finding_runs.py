import pytest

from provenance.ledger.claims import claim, finish
from provenance.ledger.tables import Run

RUNS = "/api/v1/projects/weather/reports/daily/runs"


@pytest.fixture
def ask(client, project):
    def asked(**body):
        return client.post(RUNS, json=body)

    return asked


def end(installation, run_id, **values):
    with installation.ledger.writing() as session:
        finish(session, claim(session, Run, run_id, "worker", 60.0), **values)


def ids(answer):
    assert answer.status_code == 200, answer.json
    return [run["id"] for run in answer.json["items"]]


def test_runs_are_found_by_what_they_are(ask, client, installation, repository):
    first = ask(params={"day": "2013-02-28", "limit": 7, "smooth": False, "factor": 1}).json
    repository.commit("Later")
    second = ask(params={"note": "7", "weights": [3]}).json
    end(installation, second["id"], verdict="failed")
    both, one, two = [second["id"], first["id"]], [first["id"]], [second["id"]]

    for query, expected in {
        "": both,
        "project=weather&report=daily": both,
        "report=other": [],
        f"commit={first['commit']}": one,
        f"commit={first['commit'][:8]}": one,
        "branch=main": both,
        "branch=topic": [],
        "status=queued": one,
        "status=finished": two,
        "verdict=failed": two,
        "verdict=passed": [],
        "param.day=2013-02-28": one,
        "param.limit=7": one,
        "param.limit=7.0": one,
        "param.factor=1": one,
        "param.factor=1.0": one,
        "param.smooth=false": one,
        "param.smooth=true": two,
        "param.smooth=1": [],
        "param.smooth=0": [],
        "param.note=7": two,
        "param.weights=[3]": two,
        "param.nothing=1": [],
        "param.day=2013-02-28&param.limit=3": [],
    }.items():
        assert ids(client.get(f"/api/v1/runs?{query}")) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "stauts=queued",
        "status=done",
        "verdict=good",
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=x",
        "cursor=run_' OR 1=1",
        "commit=main",
        "commit=abc",
        "commit=%25%25%25%25",
        "param.=1",
        'param.a"b=1',
        "param.a.b=1",
        "param.$[0]=1",
    ],
)
def test_filters_that_are_none_are_refused(client, project, query):
    answer = client.get(f"/api/v1/runs?{query}")
    assert answer.status_code == 400
    assert answer.json["error"]["message"]


def test_long_lists_come_in_pages(ask, client):
    made = [ask().json["id"] for _ in range(5)]
    found, cursor = [], ""
    for size in (2, 2, 1):
        page = client.get(f"/api/v1/runs?limit=2{cursor}")
        assert len(ids(page)) == size
        found += ids(page)
        cursor = f"&cursor={page.json['next']}"
    assert page.json["next"] is None
    assert found == sorted(made, reverse=True)
