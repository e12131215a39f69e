import json
import re
from html import unescape

from app.web.pages import STATIC
from provenance.ledger.states import Status, Verdict
from provenance.ledger.text_tables import PageText
from provenance.ledger.words import note_page, unread_pages, write_about
from tests.app.archive.maker import Maker

PAGE = "/projects/flights/reports/regression_test"


def history(maker: Maker, values: list[float | None], better: str = "lower"):
    project = maker.project()
    made = []
    for number, value in enumerate(values):
        evaluation = maker.evaluation(maker.commit(project, number))
        metrics = {"rmse": (value, "min", better)}
        made.append(maker.run(evaluation, "regression_test", metrics=metrics))
    return made


def trend_data(page: str) -> list[dict]:
    """Return what each plot of a page has: its own values, and the axis that they share."""
    (axis,) = (json.loads(unescape(text)) for text in re.findall(r"data-axis='([^']*)'", page))
    found = [json.loads(unescape(text)) for text in re.findall(r"data-trend='([^']*)'", page)]
    return [
        axis
        | one
        | {
            "series": [
                case | {"values": values}
                for case, values in zip(axis["cases"], one["values"], strict=True)
            ]
        }
        for one in found
    ]


def test_a_change_is_judged_by_what_is_better_and_not_by_its_sign(client, maker: Maker):
    history(maker, [14.2, 19.8, 12.0])
    page = client.get(PAGE).text
    assert re.search(r'is-worse"[^>]*><span aria-hidden="true">▼</span> \+5.6', page)
    assert re.search(r'is-better"[^>]*><span aria-hidden="true">▲</span> \N{MINUS SIGN}7.8', page)


def test_more_is_better_where_the_metric_says_so(client, maker: Maker):
    history(maker, [0.9, 0.95], better="higher")
    assert re.search(
        r'is-better"[^>]*><span aria-hidden="true">▲</span> \+0.05', client.get(PAGE).text
    )


def test_a_number_that_is_none_is_told_and_breaks_the_line(client, maker: Maker):
    history(maker, [1.0, 2.0, None, 3.0, 4.0])
    page = client.get(PAGE).text
    assert "not a number" in page
    assert trend_data(page)[0]["series"][0]["values"] == [1.0, 2.0, None, 3.0, 4.0]
    assert page.count("<polyline points=") == 2


def test_points_of_the_trend_open_their_runs_without_scripts(client, maker: Maker):
    runs = history(maker, [14.2, 19.8])
    drawing = client.get(PAGE).text.split('<svg class="spark"')[1].split("</svg>")[0]
    assert [f"/runs/{run.id}" in drawing for run in runs] == [True, True]


def test_trends_follow_the_commits_and_not_the_order_of_runs(client, maker: Maker):
    project = maker.project()
    for number in (5, 2, 9):
        evaluation = maker.evaluation(maker.commit(project, number))
        maker.run(evaluation, "regression_test", metrics={"rmse": (float(number), None, None)})
    data = trend_data(client.get(PAGE).text)[0]
    assert data["series"][0]["values"] == [2.0, 5.0, 9.0]
    assert [subject for _, subject in data["commits"]] == ["Commit 2", "Commit 5", "Commit 9"]


def test_a_band_shows_what_was_usual_before_the_last_value(client, maker: Maker):
    history(maker, [10.0, 11.0, 12.0, 13.0, 14.0, 99.0])
    page = client.get(PAGE).text
    low, high = trend_data(page)[0]["band"]
    assert 10.0 <= low < 11.0
    assert 13.0 < high <= 14.0
    assert 'class="band"' in page
    assert "the band is what was usual" in page


def test_few_values_have_no_band(client, maker: Maker):
    history(maker, [1.0, 2.0, 3.0])
    assert trend_data(client.get(PAGE).text)[0]["band"] is None


def test_of_many_points_those_that_failed_and_the_last_are_links(client, maker: Maker):
    runs = history(maker, [float(number) for number in range(61)])
    maker.change(runs[7], verdict=Verdict.FAILED)
    drawing = client.get(PAGE, query_string={"metric": "rmse"}).text
    drawing = drawing.split('<svg class="spark"')[1].split("</svg>")[0]
    assert re.findall(r'href="/runs/([^"]+)"', drawing) == [runs[7].id, runs[60].id]


def test_of_many_metrics_the_first_are_drawn_and_each_other_has_a_page_of_its_own(
    client, maker: Maker
):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    metrics = {f"m{number}": (float(number), None, None) for number in range(9)}
    maker.run(evaluation, "regression_test", metrics=metrics)
    page = client.get(PAGE).text
    assert [one["name"] for one in trend_data(page)] == [f"m{number}" for number in range(6)]
    assert f'href="{PAGE}?metric=m8"' in page
    alone = client.get(f"{PAGE}?metric=m8").text
    assert [one["name"] for one in trend_data(alone)] == ["m8"]
    assert "has recorded such a metric" in client.get(f"{PAGE}?metric=nothing").text


def test_a_failed_run_is_marked_and_an_error_is_no_point(client, maker: Maker):
    project = maker.project()
    for number, verdict in enumerate((Verdict.PASSED, Verdict.FAILED, Verdict.ERROR)):
        evaluation = maker.evaluation(maker.commit(project, number))
        metrics = {"rmse": (1.0 + number, None, None)}
        maker.run(evaluation, "regression_test", verdict=verdict, metrics=metrics)
    data = trend_data(client.get(PAGE).text)[0]
    assert data["series"][0]["missed"] == [1]
    assert data["series"][0]["values"] == [1.0, 2.0]


def test_cases_are_told_apart_by_what_differs_and_filter_the_history(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    for date in ("2013-01-31", "2013-02-28"):
        params = {"date": date, "limit": 16.0}
        run = maker.run(evaluation, "regression_test", params=params)
    page = client.get(PAGE).text
    assert ">2013-01-31</a>" in page
    assert "limit" not in page
    filtered = client.get(PAGE, query_string={"case": run.case_key}).text
    rows = filtered.split("<tbody>")[1]
    assert rows.count("<tr>") == 1
    assert run.id in rows
    assert 'aria-current="page">2013-02-28<' in filtered


def test_a_parameter_that_became_more_does_not_end_a_cases_history(client, maker: Maker):
    project = maker.project()
    for number, params in enumerate(({"date": "d"}, {"date": "d", "limit": 16.0})):
        evaluation = maker.evaluation(maker.commit(project, number))
        metrics = {"rmse": (1.0 + number, None, "lower")}
        case = {"date": "d"}
        maker.run(evaluation, "regression_test", params=params, case=case, metrics=metrics)
    data = trend_data(client.get(PAGE).text)[0]
    assert [(one["case"], one["values"]) for one in data["series"]] == [("d", [1.0, 2.0])]


def test_what_moved_tells_causes_before_their_consequences(client, maker: Maker):
    first, run = history(maker, [1.0, 1.0])
    maker.job(first, 0, reason="params", sentence="params: date may -> june")
    maker.job(run, 0, reason="inputs", sentence="inputs: features changed", stage="score")
    maker.job(run, 1, reason="code", sentence="code: stages/features.py changed")
    maker.job(run, 2, status="reused", reason=None, sentence="nothing changed")
    cells = client.get(PAGE).text.split('class="moved">')
    assert cells[1].startswith("code: stages/features.py changed")
    assert "and 1 more" in cells[1]
    assert "nothing changed" not in cells[1]
    assert cells[2].startswith('<span class="quiet" title="params: date may -&gt; june">first of')


def test_runs_of_other_projects_stay_out_of_the_trend(client, maker: Maker):
    history(maker, [1.0])
    evaluation = maker.evaluation(maker.commit(maker.project("other"), 1))
    maker.run(evaluation, "regression_test", status=Status.RUNNING)
    assert len(trend_data(client.get(PAGE).text)[0]["commits"]) == 1


def test_what_the_report_is_about_stands_below_its_name(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, "regression_test", html="page")
    with maker.installation.ledger.writing() as session:
        note_page(session, PageText(html="page", project_id=run.project_id, names="x"))
        (unread,) = unread_pages(session, 9)
        write_about(session, unread.id, "Is it <good>?\nIt is held against a guess.")
    page = client.get(PAGE).text
    assert '<p class="about lead">Is it &lt;good&gt;?</p>' in page
    assert '<p class="about">It is held against a guess.</p>' in page


def test_an_unknown_report_is_told_with_the_nearest_name(client, maker: Maker):
    history(maker, [1.0])
    answer = client.get("/projects/flights/reports/regresion_test")
    assert answer.status_code == 404
    assert "regression_test" in answer.text


def test_the_history_asks_equally_often_for_few_and_for_many_rows(
    client, maker: Maker, count_queries
):
    history(maker, [1.0, 2.0])
    few = count_queries(lambda: client.get(PAGE))
    project = maker.project("another")
    for number in range(9):
        maker.run(maker.evaluation(maker.commit(project, number)), "regression_test")
    many = count_queries(lambda: client.get(PAGE.replace("flights", "another")))
    assert many <= few


def test_why_a_run_failed_is_told_where_it_stands_in_a_list(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1), verdict=Verdict.FAILED)
    checks = [
        (True, "some rows"),
        (False, "rmse is 19.5, above <b>16</b>"),
        (False, "a third check"),
    ]
    maker.run(evaluation, "regression_test", verdict=Verdict.FAILED, checks=checks)
    maker.run(
        evaluation, "regression_test", verdict=Verdict.ERROR, error={"message": "no column carrier"}
    )
    for address in (PAGE, f"/evaluations/{evaluation.id}"):
        text = client.get(address).text
        assert "rmse is 19.5, above &lt;b&gt;16&lt;/b&gt;" in text
        assert "no column carrier" in text
        assert "a third" not in text


def test_the_columns_are_those_of_the_newest_run(client, maker: Maker):
    project = maker.project()
    for number, names in enumerate((("a_old", "b_old", "c_old"), ("rmse", "mae", "bias", "rows"))):
        evaluation = maker.evaluation(maker.commit(project, number))
        metrics = dict.fromkeys(names, (1.0, None, None))
        maker.run(evaluation, "regression_test", metrics=metrics)
    page = client.get(PAGE).text
    heads = re.findall(r'<th scope="col" class="num">([^<]*)</th>', page)
    assert heads == ["rmse", "mae", "bias", "When"]


def test_older_runs_are_on_a_page_of_their_own_without_trends(client, maker: Maker):
    made = [run.id for run in history(maker, [float(number) for number in range(27)])]
    newest = client.get(PAGE).text
    assert client.get(f"{PAGE}?before=").text.count("<tr>") == newest.count("<tr>")
    assert _listed(newest) == made[:1:-1]
    (older,) = re.findall(r'rel="next" href="([^"]*)"', newest)
    page = client.get(unescape(older)).text
    assert _listed(page) == [made[1], made[0]]
    assert 'rel="next"' not in page
    assert "data-trend" not in page


def _listed(page: str) -> list[str]:
    return re.findall(r'name="pick" value="([^"]*)"', page)


def test_twelve_cases_are_drawn_in_twelve_ways(client, maker: Maker):
    project = maker.project()
    evaluation = maker.evaluation(maker.commit(project, 1))
    for number in range(13):
        params = {"hour": number}
        maker.run(evaluation, "regression_test", params=params, metrics={"rmse": (1.0, None, None)})
    ways = re.findall(r'<g class="line (l\d+)">', client.get(PAGE).text)
    assert ways == [f"l{number}" for number in (*range(12), 0)]
    styles = (STATIC / "trends.css").read_text()
    colours = dict.fromkeys(re.findall(r"\.(l\d+)\b(?=[^{}]*\{ color:)", styles))
    assert set(colours) == {f"l{number}" for number in range(12)}
