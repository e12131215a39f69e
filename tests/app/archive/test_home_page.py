from datetime import timedelta

from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status, Verdict
from tests.app.archive.maker import Maker


def test_an_empty_archive_names_the_command_that_fills_it(client):
    page = client.get("/").text
    assert "provenote demo" in page
    assert "provenote projects add NAME URL" in page


def test_a_project_without_evaluations_says_what_will_stand_there(client, maker: Maker):
    maker.project()
    page = client.get("/").text
    assert "provenote run" in page
    assert "of every case the latest run that was not cancelled passed." in page


def test_only_the_latest_run_of_a_case_needs_attention(client, maker: Maker):
    project = maker.project()
    first = maker.evaluation(maker.commit(project, 1))
    second = maker.evaluation(maker.commit(project, 2))
    maker.run(first, "mended", verdict=Verdict.FAILED, checks=[(False, "was too late")])
    maker.run(second, "mended")
    maker.run(first, "broken")
    maker.run(second, "broken", verdict=Verdict.FAILED, checks=[(True, "a"), (False, "limit 16")])
    attention = client.get("/").text.split('id="running"')[0]
    assert "broken" in attention
    assert "limit 16" in attention
    assert "mended" not in attention


def test_an_error_tells_its_message_and_a_cancelled_run_hides_nothing(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    maker.run(evaluation, verdict=Verdict.ERROR, error={"message": "KeyError: 'hour'"})
    maker.run(evaluation, verdict=Verdict.CANCELLED)
    attention = client.get("/").text.split('id="running"')[0]
    assert "KeyError: &#39;hour&#39;" in attention
    assert "cancelled" not in attention


def test_a_case_that_nobody_evaluates_any_more_is_left_out(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    long_ago = utc_now() - timedelta(days=40)
    maker.run(evaluation, "forgotten", verdict=Verdict.FAILED, finished_at=long_ago)
    assert "forgotten" not in client.get("/").text.split('id="running"')[0]


def test_what_runs_now_shows_its_progress_and_asks_often(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), status=Status.RUNNING)
    maker.run(evaluation, status=Status.RUNNING, cells_done=4, cells_total=9)
    maker.run(evaluation, status=Status.QUEUED, params={"date": "2013-02-28"})
    page = client.get("/").text
    assert 'value="0.4444" max="1"' in page
    assert "cell 4 of 9" in page
    assert "2 runs under way" in page
    assert "every 1s" in page
    assert page.index("cell 4 of 9") < page.index("1st in the queue")


def test_what_runs_about_another_run_says_so(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), status=Status.RUNNING)
    original = maker.run(evaluation)
    for purpose in ("reproduce", "whatif"):
        facts = {"purpose": purpose, "again_of": original.id}
        maker.run(evaluation, status=Status.RUNNING, params={"n": purpose, "m": 1}, **facts)
    maker.run(evaluation, status=Status.QUEUED, params={"n": 3})
    running = client.get("/").text.split('id="running"')[1].split('id="evaluations"')[0]
    rows = [row.split("</li>")[0] for row in running.split("<li ")[1:]]
    assert [("reproduction" in row, "what if" in row) for row in rows] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    page = client.get(f"/evaluations/{evaluation.id}").text
    assert (page.count("reproduction"), page.count("what if")) == (1, 1)
    assert "n reproduce" in rows[0], "a case that no other run has is told by its values"
    other = maker.run(evaluation, params={"n": 4}, purpose="whatif", again_of=original.id)
    page = client.get("/explain", query_string={"a": original.id, "b": other.id}).text
    assert page.count("what if") == 1


def test_evaluations_count_verdicts_and_tell_reused_from_executed(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1, subject="Fix the hour"))
    for number in range(3):
        run = maker.run(evaluation, params={"n": number}, reused=number > 0)
        for place, stage in enumerate(("read", "features", "report")):
            status = "reused" if run.reused or stage == "read" else "executed"
            maker.job(run, place, stage=stage, status=status)
    maker.run(evaluation, params={"n": 9}, verdict=Verdict.FAILED)
    page = client.get("/").text
    assert "Fix the hour" in page
    assert 'title="3 passed"' in page
    assert 'title="1 failed"' in page
    assert "reused" in page
    assert "2 jobs executed" in page
    assert "4.1" in page


def test_older_evaluations_are_one_link_away(client, maker: Maker):
    commit = maker.commit(maker.project(), 1)
    evaluations = [maker.evaluation(commit) for _ in range(28)]
    first = client.get("/").text
    assert evaluations[2].id not in first
    older = client.get("/", query_string={"before": evaluations[3].id}).text
    assert evaluations[2].id in older
    assert evaluations[3].id not in older
    assert f"before={evaluations[3].id}" in first
    assert "Older evaluations</a>" not in older


def test_a_page_asks_the_ledger_equally_often_for_few_and_for_many_rows(
    client, maker: Maker, count_queries
):
    project = maker.project()
    evaluation = maker.evaluation(maker.commit(project, 1))
    maker.run(evaluation, verdict=Verdict.FAILED)
    few = count_queries(lambda: client.get("/"))
    for number in range(2, 9):
        evaluation = maker.evaluation(maker.commit(project, number))
        maker.run(evaluation, f"report_{number}", verdict=Verdict.FAILED)
    assert count_queries(lambda: client.get("/")) == few


def test_a_run_that_came_to_nothing_is_not_told_as_executed(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    maker.run(evaluation, verdict=Verdict.ERROR, error={"message": "no dataset 'sold'"})
    maker.run(evaluation, params={"n": 2}, verdict=Verdict.CANCELLED)
    assert "executed" not in client.get("/").text
    assert "executed" not in client.get(f"/evaluations/{evaluation.id}").text


def test_uncommitted_changes_ask_for_no_attention_and_hide_no_run_of_a_commit(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    maker.run(evaluation, "sound")
    maker.run(evaluation, "sound", verdict=Verdict.ERROR, dirty="d" * 64)
    maker.run(evaluation, "broken", verdict=Verdict.ERROR)
    maker.run(evaluation, "broken", dirty="d" * 64)
    attention = client.get("/").text.split('id="running"')[0]
    assert ("sound" in attention, "broken" in attention) == (False, True)
    assert "working tree" in client.get("/projects/flights/reports/sound").text


def test_the_first_runs_under_way_are_not_told_as_passed(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), status=Status.RUNNING)
    for number in range(3):
        maker.run(evaluation, status=Status.QUEUED, params={"n": number})
    attention = client.get("/").text.split('id="running"')[0]
    assert "Nothing so far; 3 runs are under way." in attention
    assert "passed" not in attention
