"""The pages that say why two runs differ, how one came to be, and who stands on what."""

import pytest

from provenance.ledger.states import Verdict
from tests.app.archive.records import Facts, recorded_run
from tests.app.archive.test_hostile_strings import EVIL, NAME, Inert


@pytest.fixture
def pair(maker):
    project = maker.project()
    evaluations = [maker.evaluation(maker.commit(project, number)) for number in (1, 2)]
    before = {"metrics": {"rmse": (14.0, "min", "lower")}, "checks": [(True, "small enough")]}
    after = {"metrics": {"rmse": (19.5, "min", "lower")}, "checks": [(False, "small enough")]}
    return [
        recorded_run(maker, evaluations[0], Facts(), **before),
        recorded_run(
            maker,
            evaluations[1],
            Facts(source="RAIN = 2\n", given="2"),
            verdict=Verdict.FAILED,
            **after,
        ),
    ]


def test_the_page_answers_with_the_cause_its_diff_and_what_moved(client, pair):
    answer = client.get(f"/explain?a={pair[0].id}&b={pair[1].id}")
    assert answer.status_code == 200
    assert "The code changed: stages/helper.py (features)." in answer.text
    assert '<span class="gone">-RAIN = 1</span>' in answer.text
    assert '<span class="come">+RAIN = 2</span>' in answer.text
    assert "--- a/stages/helper.py" not in answer.text
    assert "<details open>" in answer.text
    assert "▼</span> +5.5 worse" in answer.text
    assert "follows from x" in answer.text


def test_a_long_diff_is_folded(client, maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    long = "".join(f"X{n} = {n}\n" for n in range(80))
    runs = [
        recorded_run(maker, evaluation, Facts(source=source)) for source in (long, "RAIN = 1\n")
    ]
    page = client.get(f"/explain?a={runs[0].id}&b={runs[1].id}").text
    assert "<details><summary>Diff" in page
    assert "Without effect" in page


def test_one_run_alone_is_told_as_a_story(client, pair):
    answer = client.get(f"/explain?a={pair[1].id}")
    assert answer.status_code == 200
    assert "Made in order" in answer.text
    assert f"/compare?a={pair[0].id}&amp;b={pair[1].id}" in answer.text


def test_the_run_page_leads_to_what_changed_since_the_run_before(client, pair):
    link = f'href="/compare?a={pair[0].id}&amp;b={pair[1].id}"'
    assert link in client.get(f"/runs/{pair[1].id}").text
    assert f'href="/explain?a={pair[0].id}"' in client.get(f"/runs/{pair[0].id}").text


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?a=run_0", 404), ("?a=x&b=y", 404)])
def test_an_address_without_a_run_is_answered_as_such(client, pair, query, status):
    assert client.get(f"/explain{query}").status_code == status


def test_who_stands_on_a_file_is_shown_with_the_latest_run_of_each_case(client, pair):
    answer = client.get("/used-by?file=stages/helper.py")
    assert answer.status_code == 200
    assert "1 report (2 runs) stands on stages/helper.py" in answer.text
    assert "latest stands on it" in answer.text
    assert "/projects/flights/reports/daily" in answer.text
    form = client.get("/used-by?kind=package&name=pandas&project=flights")
    assert "stands on the package pandas" in form.text


def test_an_unknown_name_is_answered_with_the_nearest_and_the_form(client, pair):
    answer = client.get("/used-by?file=stages/helpr.py")
    assert answer.status_code == 404
    assert "Did you mean &#39;stages/helper.py&#39;?" in answer.text
    assert 'value="stages/helpr.py"' in answer.text
    assert client.get("/used-by").status_code == 200
    assert client.get("/used-by?file=a&package=b").status_code == 400
    assert client.get("/used-by?artifact=12").status_code == 400
    assert "has an artifact eeeeeeee" in client.get("/used-by?artifact=eeeeeeee").text


def test_hostile_texts_are_inert_in_explanations(client, maker):
    project = maker.project(NAME, url=EVIL)
    evaluation = maker.evaluation(maker.commit(project, 1, subject=EVIL, author=EVIL), branch=EVIL)
    results = {"checks": [(False, EVIL)], "params": {EVIL: EVIL}}
    runs = [
        recorded_run(
            maker,
            evaluation,
            Facts(f"{word}{EVIL}\n\x1b[31m{EVIL}", word + EVIL, EVIL, EVIL, ((EVIL, word),), word),
            NAME,
            metrics={EVIL: (number, EVIL, "lower")},
            **results,
        )
        for number, word in ((1.0, EVIL), (2.0, f"{EVIL}x"))
    ]
    pages = [
        f"/explain?a={runs[0].id}&b={runs[1].id}",
        f"/explain?a={runs[0].id}",
    ]
    for url in pages:
        answer = client.get(url)
        assert answer.status_code == 200
        _is_inert(answer.text)
    for query in ({"file": EVIL}, {"package": EVIL}, {"batch": EVIL}, {"kind": EVIL, "name": EVIL}):
        answer = client.get("/used-by", query_string=query)
        assert answer.status_code in (200, 404)
        Inert().feed(answer.text)
        assert "<script>evil" not in answer.text


def _is_inert(page: str) -> None:
    assert "evil()" in page
    assert "<script>evil" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in page
    Inert().feed(page)


def test_a_parameter_that_is_an_empty_text_is_told_as_such(client, maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, params={"key": ""}, origins={"key": "default"})
    assert "&#34;&#34; (default)" in client.get(f"/explain?a={run.id}").text
