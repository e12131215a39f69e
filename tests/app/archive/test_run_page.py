import json
from typing import Any

from provenance.ledger.states import Status, Verdict
from provenance.record import Record
from tests.app.archive.maker import Maker


def evaluation(maker: Maker, number: int = 1, **values):
    return maker.evaluation(maker.commit(maker.project(), number), **values)


def test_a_finished_run_shows_how_it_came_to_be(client, maker: Maker):
    record = {"environment": {"implementation": "CPython", "python": "3.11.7", "packages": 41}}
    run = maker.run(
        evaluation(maker),
        html=maker.keep(b"<p>report</p>"),
        record=maker.keep(json.dumps(record).encode()),
        metrics={"rmse": (14.2, "min", "lower")},
        checks=[(True, "every flight has a carrier")],
    )
    maker.input(run)
    page = client.get(f"/runs/{run.id}").text
    for text in ("rmse", "14.2", "every flight has a carrier", "departures", "bbbbbbbb", "1.8"):
        assert text in page
    assert "CPython 3.11.7, 41 packages" in page
    assert f'sandbox="allow-scripts" src="/runs/{run.id}/report"' in page
    assert "2013-01-31" in page
    assert "allow-same-origin" not in page


def test_what_was_read_from_sources_is_told_beside_the_jobs(client, maker: Maker):
    query = {"text": "SELECT <b>", "source": "replica", "rows": 26398, "seconds": 0.2}
    query |= {"as_of": "2026-03-01T12:00:00+00:00", "replayed_to": "2026-03-01T11:57:30+00:00"}
    silent = {"source": "elsewhere", "rows": 1, "as_of": "2026-03-01T12:00:00+00:00"}
    run = maker.run(evaluation(maker))
    page = client.get(f"/runs/{run.id}/provenance").text
    assert "Read from sources" not in page
    for place, told in enumerate((query, silent)):
        facts: dict[str, Any] = {"kind": "sql", "name": f"stage_{place}", "preimage": {}}
        empty: dict[str, Any] = {"run": {}, "code": {}, "params": {}, "environment": {}}
        extra = {"queries": [told]}
        record = Record(**facts, **empty, key="a" * 64, outputs=(), inputs=(), extra=extra)
        maker.job(run, place, stage=f"stage_{place}", record=maker.keep(record.to_bytes()))
    maker.job(run, 2, stage="gone", record="f" * 64)
    page = client.get(f"/runs/{run.id}/provenance").text
    sources = page.split('id="sources"')[1].split("</section>")[0]
    for text in ("stage_0", "replica", "26,398", "2026-03-01 12:00:00", "2026-03-01 11:57:30"):
        assert text in sources, text
    assert "2 min behind" in sources
    assert "SELECT &lt;b&gt;" in sources
    assert "it does not say" in sources.split("stage_1")[1]


def test_a_reused_run_names_its_source_and_the_source_its_followers(client, maker: Maker):
    project = maker.project()
    first = maker.run(maker.evaluation(maker.commit(project, 1)), key="k" * 64)
    later = maker.evaluation(maker.commit(project, 2))
    second = maker.run(later, key="k" * 64, reused=True, reused_from=first.id)
    page = client.get(f"/runs/{second.id}").text
    assert "Reused from" in page
    assert f"/runs/{first.id}" in page
    assert "Stands for 1 later commit," in client.get(f"/runs/{first.id}").text


def test_an_error_shows_message_place_hint_and_readable_traceback(client, maker: Maker):
    error = {
        "kind": "exception",
        "message": "KeyError: 'arr_hour'",
        "where": "reports/a.ipynb, cell 4",
        "hint": "Did you mean dep_hour?",
        "traceback": "\x1b[31mTraceback\x1b[0m <b>",
    }
    run = maker.run(evaluation(maker), verdict=Verdict.ERROR, error=error)
    page = client.get(f"/runs/{run.id}").text
    for text in ("reports/a.ipynb, cell 4", "Did you mean dep_hour?", "Traceback &lt;b&gt;"):
        assert text in page
    assert "\x1b" not in page


def test_a_lost_worker_is_told_apart_from_failing_code(client, maker: Maker):
    run = maker.run(
        evaluation(maker),
        status=Status.DEAD,
        verdict=Verdict.WORKER_LOST,
        error={"message": "Its worker was lost three times."},
    )
    page = client.get(f"/runs/{run.id}").text
    assert "the code is not to blame" in page
    assert "worker lost" in page


def test_a_run_without_a_page_names_the_command_that_makes_one(client, maker: Maker):
    run = maker.run(evaluation(maker), verdict=Verdict.CANCELLED)
    page = client.get(f"/runs/{run.id}").text
    assert "cancelled before it made a page" in page
    assert f"provenote run sanity_check --commit {run.commit_sha[:12]} -p date=2013-01-31" in page


def test_every_form_carries_the_token_that_tells_our_pages(client, maker: Maker):
    running = maker.run(evaluation(maker), status=Status.RUNNING)
    page = client.get(f"/runs/{running.id}").text
    assert page.count('method="post"') == page.count('name="csrf_token"') == 1
    assert f'action="/runs/{running.id}/cancel"' in page


def test_provenance_tells_why_each_job_was_executed_or_reused(client, maker: Maker):
    record = maker.keep(b'{"schema": "provenote/record/1", "key": "<k>"}')
    run = maker.run(evaluation(maker), record=record)
    maker.job(run, 0)
    maker.job(run, 1, status="reused", reason=None, sentence="nothing changed", stage="score")
    maker.input(run)
    page = client.get(f"/runs/{run.id}/provenance").text
    for text in ("code: stages/features.py changed", "nothing changed", "text/csv", "&lt;k&gt;"):
        assert text in page
    answer = client.get(f"/runs/{run.id}/provenance?format=json")
    assert answer.json["key"] == "<k>"
    assert answer.content_type == "application/json"


def test_the_log_is_readable_and_can_be_downloaded_as_it_is(client, maker: Maker):
    run = maker.run(evaluation(maker), log=maker.keep(b"\x1b[33mwarn\x1b[0m <script>\n"))
    assert "warn &lt;script&gt;" in client.get(f"/runs/{run.id}/log").text
    raw = client.get(f"/runs/{run.id}/log?download=1")
    assert raw.data == b"\x1b[33mwarn\x1b[0m <script>\n"
    assert raw.headers["Content-Disposition"].startswith("attachment")


def test_a_long_log_shows_its_end(client, maker: Maker):
    run = maker.run(evaluation(maker), log=maker.keep(b"first\n" + b"x" * 600_000 + b"last\n"))
    page = client.get(f"/runs/{run.id}/log").text
    assert "first" not in page
    assert "last" in page


def test_a_queued_runs_other_pages_say_that_there_is_nothing_yet(client, maker: Maker):
    run = maker.run(evaluation(maker), status=Status.QUEUED)
    assert client.get(f"/runs/{run.id}/report").status_code == 404
    assert client.get(f"/runs/{run.id}/notebook").status_code == 404
    assert "kept no log" in client.get(f"/runs/{run.id}/log").text
    assert "No job was needed" in client.get(f"/runs/{run.id}/provenance").text


def test_an_evaluation_shows_its_runs_report_by_report(client, maker: Maker):
    made = evaluation(maker)
    run = maker.run(made, "alpha", metrics={"rmse": (14.2, None, "lower")})
    maker.job(run, 0)
    maker.run(made, "beta", verdict=Verdict.ERROR, error={"message": "KeyError"})
    page = client.get(f"/evaluations/{made.id}").text
    assert page.index(">alpha<") < page.index(">beta<")
    for text in ("14.2", "KeyError"):
        assert text in page
    assert page.count("1 job executed") == 2, "of the run, and of all"


def test_an_evaluation_that_could_not_be_prepared_says_why(client, maker: Maker):
    error = {"kind": "manifest", "message": "no stage 'gauge'", "hint": "Did you mean 'gauges'?"}
    made = evaluation(maker, verdict=Verdict.ERROR, error=error, prepared=False)
    page = client.get(f"/evaluations/{made.id}").text
    assert "no stage &#39;gauge&#39;" in page
    assert "Did you mean &#39;gauges&#39;?" in page


def test_an_evaluation_without_runs_says_what_makes_some(client, maker: Maker):
    waiting = evaluation(maker, status=Status.QUEUED, verdict=None)
    assert "reads the manifest" in client.get(f"/evaluations/{waiting.id}").text
    empty = maker.evaluation(maker.commit(maker.project("b"), 1))
    assert "asks for no run" in client.get(f"/evaluations/{empty.id}").text


def test_a_run_of_uncommitted_changes_offers_no_way_to_make_it_again(client, maker: Maker):
    run = maker.run(evaluation(maker), verdict=Verdict.CANCELLED, dirty="d" * 64)
    page = client.get(f"/runs/{run.id}").text
    assert "cancelled before it made a page" in page
    assert "uncommitted changes, which only their maker has" in page
    assert "--commit" not in page
    assert f"/runs/{run.id}/reproduce" not in page
    assert f"/runs/{run.id}/whatif" in page, "with the code of a commit it can be asked"


def test_a_mistake_of_ours_is_not_laid_to_the_code(client, maker: Maker):
    error = {"kind": "provenote", "message": "provenote itself failed", "hint": "Run it again."}
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, verdict=Verdict.ERROR, error=error)
    page = client.get(f"/runs/{run.id}").text
    assert "provenote made a mistake; the code is not to blame" in page
    assert "The code raised an error" not in page
