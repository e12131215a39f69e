import base64
from datetime import timedelta
from functools import partial

import pytest
from flask.testing import FlaskClient

from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status, Trigger, Verdict
from provenance.ledger.tables import Evaluation, Run
from provenance.ledger.times import CaseKey, Took, remember_took
from tests.app.archive.maker import Maker

PNG = base64.b64encode(b"\x89PNG picture").decode()


@pytest.fixture
def evaluation(maker: Maker) -> Evaluation:
    commit = maker.commit(maker.project(), 1)
    return maker.evaluation(commit, status=Status.RUNNING, verdict=None, finished_at=None)


def under_way(maker: Maker, evaluation: Evaluation, **values: object) -> Run:
    return maker.run(evaluation, **({"status": Status.RUNNING, "started_at": utc_now()} | values))


def took(maker: Maker, run: Run, *times: Took) -> None:
    with maker.installation.ledger.writing() as session:
        for time in times:
            remember_took(session, CaseKey(run.project_id, run.report, run.case_key), time)


def news(client: FlaskClient, run: Run, page: str):
    """Ask for what is new since *page*, a page or earlier news."""
    seen = page.split('data-seen="')[1].split('"', maxsplit=1)[0]
    return client.get(f"/runs/{run.id}/live", query_string={"seen": seen})


def test_news_add_the_cells_that_ended_since_and_say_nothing_twice(client, maker, evaluation):
    run = under_way(maker, evaluation, cells_total=9, cells_done=2, doing="cell 3")
    maker.event(run, 1, "stage", stage="features", status="reused", sentence="same", seconds=0.1)
    maker.event(run, 2, "cell", index=1, total=9, title="Load <it>", text="26398 rows")
    maker.event(run, 3, "log", text="kernel ready\n")
    page = client.get(f"/runs/{run.id}").text
    for text in ("Cell 3 of 9", "Load &lt;it&gt;", "26398 rows", "features", "kernel ready"):
        assert text in page
    assert 'id="cell-2"' in page
    assert news(client, run, page).status_code == 204
    maker.event(run, 4, "figure", image=f"data:image/png;base64,{PNG}")
    maker.event(run, 5, "cell", index=2, total=9, title="Draw", figure=4, seconds=0.5)
    maker.change(run, cells_done=3, doing="cell 4")
    later = news(client, run, page).text
    assert "Draw" in later
    assert "Load" not in later, "that is on the page already"
    assert "features" in later
    assert "Cell 4 of 9" in later
    assert f"/runs/{run.id}/live/4.png" in later
    assert "<html" not in later
    assert news(client, run, later).status_code == 204
    figure = client.get(f"/runs/{run.id}/live/4.png")
    assert figure.data == b"\x89PNG picture"
    assert figure.headers["Content-Security-Policy"].startswith("sandbox")


def test_what_a_cell_is_printing_is_shown_as_a_terminal_would(client, maker, evaluation):
    run = under_way(maker, evaluation, cells_total=2, doing="cell 2")
    bar = "\x1b[32mtraining\x1b[0m\n 10%\r 55%\r 60%"
    maker.event(run, 1, "at_work", cell=1, title="Train", text=bar)
    page = client.get(f"/runs/{run.id}").text
    assert '<pre class="output" data-tail>training\n 60%</pre>' in page


def test_a_page_is_loaded_again_when_its_run_has_ended_or_begins_anew(client, maker, evaluation):
    run = under_way(maker, evaluation, attempt=1, cells_total=3, cells_done=1)
    page = client.get(f"/runs/{run.id}").text
    maker.change(run, attempt=2, cells_done=0)
    for seen in (page, 'data-seen="nonsense"', 'data-seen="running.1.x.3"'):
        answer = news(client, run, seen)
        assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
    maker.change(run, status=Status.FINISHED, verdict=Verdict.PASSED)
    answer = news(client, run, page)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
    assert "data-live" not in client.get(f"/runs/{run.id}").text


def test_a_run_that_begins_goes_on_on_the_page_that_waited_for_it(client, maker, evaluation):
    run = under_way(maker, evaluation, status=Status.QUEUED, started_at=None)
    page = client.get(f"/runs/{run.id}").text
    assert "1st in the queue" in page
    assert 'http-equiv="refresh"' in page, "for readers without scripts"
    maker.change(run, status=Status.RUNNING, attempt=1, doing="checkout")
    later = news(client, run, page)
    assert "HX-Refresh" not in later.headers
    assert "Fetches the commit" in later.text
    assert "running" in later.text


def test_the_rest_of_a_run_is_told_from_what_its_case_took_before(client, maker, evaluation):
    run = under_way(maker, evaluation, started_at=utc_now() - timedelta(seconds=2))
    took(maker, run, Took(2.0, {1: 1.0, 2: 300.0}, 1.0, 4))
    page = client.get(f"/runs/{run.id}").text
    assert "of the usual 5.1\u202fmin" in page
    assert "about 5\u202fmin left" in page
    at = utc_now() - timedelta(seconds=180)
    maker.change(run, cells_total=4, cells_done=2, doing="cell 3", cell_at=at)
    assert "about 2\u202fmin left" in client.get(f"/runs/{run.id}").text


def test_a_queue_tells_each_its_place_and_when_its_turn_comes(client, maker, evaluation):
    waiting = {"status": Status.QUEUED, "started_at": None}
    first = under_way(maker, evaluation)
    took(maker, first, Took(240.0, {}, 0.0, 0))
    second, third = (under_way(maker, evaluation, **waiting) for _ in range(2))
    assert "1st in the queue" in (page := client.get(f"/runs/{second.id}").text)
    assert "It is next" in page
    assert "about 4\u202fmin" in page
    assert "2nd in the queue" in (page := client.get(f"/runs/{third.id}").text)
    assert "1 run waits before it" in page
    assert "about 8\u202fmin" in page
    listed = client.get(f"/evaluations/{evaluation.id}").text
    assert "1st in the queue" in listed
    assert "2nd in the queue" in listed
    maker.change(second, status=Status.FINISHED, verdict=Verdict.CANCELLED)
    assert "1st in the queue" in news(client, third, page).text


def test_a_run_that_waits_for_what_did_not_answer_stands_in_no_queue(client, maker, evaluation):
    later = {"run_after": utc_now() + timedelta(seconds=60), "error": {"message": "No replica."}}
    run = under_way(maker, evaluation, status=Status.QUEUED, started_at=None, **later)
    page = client.get(f"/runs/{run.id}").text
    assert "Something did not answer, is tried again" in page
    assert "No replica. Tried again <time" in page
    assert "in the queue" not in page


def test_a_run_of_somebodys_terminal_takes_no_worker(client, maker, evaluation):
    own = maker.evaluation(maker.commit(maker.project("own"), 1), trigger=Trigger.CLI)
    took(maker, under_way(maker, own), Took(10.0, {}, 0.0, 0))
    run = under_way(maker, evaluation, status=Status.QUEUED, started_at=None)
    page = client.get(f"/runs/{run.id}").text
    assert "1st in the queue" in page
    assert 'data-clock="wait"' not in page


@pytest.mark.parametrize("where", ["/", "evaluation"])
def test_a_list_that_is_open_is_sent_only_what_is_new(client, maker, evaluation, where):
    run = under_way(maker, evaluation, cells_total=9, cells_done=1)
    address = "/" if where == "/" else f"/evaluations/{evaluation.id}"
    page = client.get(address).text
    again = page.split('data-hx-get="')[1].split('"')[0]
    assert client.get(again).status_code == 204
    moves = ({"cells_done": 2}, {"doing": "publishing"}, {"cancel_requested": True})
    for move in (*moves, {"status": Status.FINISHED, "verdict": Verdict.PASSED}):
        maker.change(run, **move)
        page = client.get(again)
        assert page.status_code == 200, move
        again = page.text.split('data-hx-get="')[1].split('"')[0]
    under_way(maker, evaluation, status=Status.QUEUED, started_at=None)
    assert client.get(again).status_code == 200


def test_a_long_queue_costs_a_list_no_more_questions(client, maker, evaluation, count_queries):
    first = under_way(maker, evaluation)
    took(maker, first, Took(1.0, {}, 0.0, 0))
    waiting = {"status": Status.QUEUED, "started_at": None}
    for number in range(3):
        under_way(maker, evaluation, params={"n": number}, **waiting)
    pages = ("/", f"/evaluations/{evaluation.id}")
    few = [count_queries(partial(client.get, page)) for page in pages]
    for number in range(3, 12):
        under_way(maker, evaluation, params={"n": number}, **waiting)
    assert [count_queries(partial(client.get, page)) for page in pages] == few
