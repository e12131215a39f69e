from datetime import timedelta

from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status, Verdict
from tests.app.archive.maker import Maker

LATEST = "/latest/flights/sanity_check"


def made(maker: Maker, branch: str = "main", number: int = 1):
    return maker.evaluation(maker.commit(maker.project(), number), branch=branch)


def test_latest_leads_to_the_newest_finished_run(client, maker: Maker):
    evaluation = made(maker)
    maker.run(evaluation)
    newest = maker.run(evaluation, params={"date": "2013-02-28"})
    maker.run(evaluation, status=Status.RUNNING)
    maker.run(evaluation, verdict=Verdict.CANCELLED)
    answer = client.get(LATEST)
    assert answer.status_code == 302
    assert answer.location == f"/runs/{newest.id}"


def test_latest_takes_parameters_of_every_simple_type(client, maker: Maker):
    evaluation = made(maker)
    params = {"date": "2013-01-31", "n": 3, "x": 16.0, "b": True}
    wanted = maker.run(evaluation, params=params)
    maker.run(evaluation, params={**params, "date": "2013-02-28"})
    for query in ("date=2013-01-31", "date=2013-01-31&n=3&x=16&b=true", "param.date=2013-01-31"):
        assert client.get(f"{LATEST}?{query}").location == f"/runs/{wanted.id}"
    assert client.get(f"{LATEST}?b=false").status_code == 404
    assert client.get(f"{LATEST}?x=sixteen").status_code == 404


def test_latest_that_matches_nothing_says_what_was_asked(client, maker: Maker):
    maker.run(made(maker))
    answer = client.get(f"{LATEST}?date=2014-01-01&branch=main")
    assert answer.status_code == 404
    assert "date = 2014-01-01, branch main" in answer.text
    assert client.get("/latest/flights/nothing").status_code == 404


def test_latest_as_of_a_moment_leaves_later_runs_out(client, maker: Maker):
    evaluation = made(maker)
    old = maker.run(evaluation, finished_at=utc_now() - timedelta(days=9))
    new = maker.run(evaluation)
    moment = (utc_now() - timedelta(days=3)).date().isoformat()
    assert client.get(f"{LATEST}?as_of={moment}").location == f"/runs/{old.id}"
    today = utc_now().date().isoformat()
    assert client.get(f"{LATEST}?as_of={today}").location == f"/runs/{new.id}"
    assert client.get(f"{LATEST}?as_of=yesterday").status_code == 400


def test_the_badge_is_as_bad_as_the_worst_case_on_the_default_branch(client, maker: Maker):
    evaluation = made(maker)
    maker.run(evaluation)
    address = "/badge/flights/sanity_check.svg"
    assert "passed" in client.get(address).text
    maker.run(evaluation, params={"n": 2}, verdict=Verdict.FAILED)
    answer = client.get(address)
    assert "failed" in answer.text
    assert answer.content_type == "image/svg+xml; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    maker.run(evaluation, params={"n": 3}, verdict=Verdict.ERROR, branch="try")
    assert "failed" in client.get(address).text


def test_a_badge_of_a_branch_without_runs_says_so(client, maker: Maker):
    maker.run(made(maker, branch="try"))
    assert "no verdict" in client.get("/badge/flights/sanity_check.svg").text


def test_the_badge_is_of_commits_and_not_of_uncommitted_changes(client, maker: Maker):
    evaluation = made(maker)
    maker.run(evaluation)
    maker.run(evaluation, verdict=Verdict.ERROR, dirty="d" * 64)
    assert "passed" in client.get("/badge/flights/sanity_check.svg").text


def test_latest_says_what_can_never_match(client, maker: Maker):
    maker.run(made(maker))
    told = client.get(f"{LATEST}?foo=1")
    assert (told.status_code, "has no parameter &#39;foo&#39;" in told.text) == (404, True)
    assert "this day does not exist" in client.get(f"{LATEST}?date=2013-02-30").text
    early = client.get(f"{LATEST}?date=2013-01-31&as_of=2001-01-01").text
    assert "with date = 2013-01-31 had finished by 2001-01-01" in early


def test_what_is_not_found_is_told_by_what_it_is(client, maker: Maker):
    maker.run(made(maker))
    assert "A run keeps its address" in client.get("/runs/run_gone").text
    for address, place in (
        ("/datasets/gone", "every dataset"),
        ("/models/gone", "the models"),
        ("/projects/gone", "every project"),
        ("/badge/flights/gone.svg", "every project"),
    ):
        answer = client.get(address)
        assert answer.status_code == 404
        assert "keeps its address" not in answer.text
        assert place in answer.text
