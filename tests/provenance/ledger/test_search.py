"""Runs are found by what they are and by what their pages say, on every database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.datasets.pins import pin
from provenance.ledger.columns import utc_now
from provenance.ledger.distinct import distinct_from
from provenance.ledger.engine import Ledger
from provenance.ledger.figures import write_figures
from provenance.ledger.ids import first_id, new_id
from provenance.ledger.marks import add_comment, add_tag
from provenance.ledger.queries.named import reports_called
from provenance.ledger.search import search_rows
from provenance.ledger.search_text import read_search
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Metric, Run
from provenance.ledger.text_tables import PageText
from provenance.ledger.words import snippets, unread_pages, write_words
from tests.support.rows import add_evaluation, add_project, add_runs, publish_page

Add = Callable[..., str]


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    return add_evaluation(ledger, add_project(ledger))


@pytest.fixture
def add(ledger: Ledger, evaluation: Evaluation) -> Add:
    """Write one run; with *says*, its page says that; with *metrics*, it has recorded them."""

    def add(says: str | None = None, metrics: dict[str, float] | None = None, **values: Any) -> str:
        if says is not None:
            values.setdefault("html", new_id("page"))
        found = {"status": Status.FINISHED, "verdict": "passed", "branch": "main"} | values
        (run_id,) = add_runs(ledger, evaluation, **found)
        with ledger.writing() as session:
            for position, (name, value) in enumerate((metrics or {}).items()):
                session.add(Metric(run_id=run_id, name=name, position=position, value=value))
        if says is not None:
            page_says(ledger, evaluation, found["html"], says)
        return run_id

    return add


def page_says(ledger: Ledger, evaluation: Evaluation, html: str, says: str) -> None:
    page = PageText(html=html, project_id=evaluation.project_id, names="weather daily 2013-01-31")
    with ledger.writing() as session:
        publish_page(session, page)
    with ledger.writing() as session:
        for unread in unread_pages(session, 9):
            write_words(session, unread.id, says)


def found(ledger: Ledger, text: str, most: int = 50, after: str | None = None) -> list[str]:
    with ledger.reading() as session:
        rows, _ = search_rows(session, read_search(text).wanted, most, after)
    return [row.id for row in rows]


def test_each_filter_narrows(ledger: Ledger, add: Add) -> None:
    daily = add(report="daily", metrics={"rmse": 1.5}, params={"date": "2013-01-31", "n": 3})
    other = add(
        report="other",
        verdict="failed",
        branch="fix",
        commit_sha="b" * 40,
        metrics={"worst tenth": 3.0},
    )
    waits = add(report="daily", status=Status.QUEUED, verdict=None, metrics={"rmse": 2.5})
    assert found(ledger, "") == [waits, other, daily]
    for text, expected in {
        "report:daily": [waits, daily],
        "report:oth": [other],
        "branch:fix": [other],
        "commit:bbbb": [other],
        "status:failed": [other],
        "status:queued": [waits],
        "metric.rmse>1": [waits, daily],
        "metric.rmse>1.5": [waits],
        "metric.rmse:1.5": [daily],
        "metric.absent>0": [],
        "param.date:2013-01": [daily],
        "param.date:2013-01-31": [daily],
        "param.n:3": [daily],
        "param.date:2013-02": [],
        "actor:ad": [waits, other, daily],
        "actor:eve": [],
        "since:1h": [waits, other, daily],
        "until:2013-01-01": [],
        "report:daily status:passed": [daily],
        "report:DAI": [waits, daily],
        "actor:Ada": [waits, other, daily],
        "bbbbbbb": [other],
        "aaaaaaa bbbbbbb": [],
        'metric."worst tenth">0': [other],
    }.items():
        assert found(ledger, text) == expected, text


def test_what_people_made_of_runs_narrows(ledger: Ledger, add: Add) -> None:
    first, second, third = add(), add(), add()
    with ledger.writing() as session:
        for run_id, tag in ((first, "v1"), (first, "for the paper"), (second, "v1.1")):
            add_tag(session, run_id, tag, "ada")
        add_comment(session, second, "The sensor failed; STÖRUNG, snow.", "ada")
        pin(session, third, "ada")
        pin(session, first, "ada", "", utc_now() - timedelta(days=1))
    for text, expected in {
        "tag:v1": [first],
        "tag:v": [second, first],
        "tag:v1 tag:for": [first],
        "tag:none": [],
        'comment:"the Sensor"': [second],
        "comment:sensor comment:snow": [second],
        "comment:störung": [second],
        "comment:%": [],
        "pinned:yes": [third],
        "pinned:no": [second, first],
    }.items():
        assert found(ledger, text) == expected, text


def test_words_are_sought_in_what_pages_say_and_are_called(ledger: Ledger, add: Add) -> None:
    rush = add(says="Delays grow in the rush hours of Zürich.\nMean delay 14.2 minutes")
    snow = add(says="Snow, no rush at all: hour after hour")
    for text, expected in {
        "rush": [snow, rush],
        "RUSH hour": [snow, rush],
        '"rush hour"': [rush],
        "hou": [snow, rush],
        "zürich": [rush],
        "14.2": [rush],
        "2013-01": [snow, rush],
        "weather daily": [snow, rush],
        "rain": [],
        "rush rain": [],
        "status:failed rush": [],
        "don't": [],
        'rush") OR (hour': [],
        "snow*": [snow],
        "NOT snow": [],
        "— !": [],
    }.items():
        assert found(ledger, text) == expected, text


def test_a_page_that_runs_share_is_found_once_for_the_newest_that_fits(
    ledger: Ledger, add: Add
) -> None:
    first = add(says="shared words", html="page")
    second = add(html="page", reused=True, branch="fix")
    assert found(ledger, "shared") == [second]
    assert found(ledger, "shared branch:main") == [first]
    assert found(ledger, "") == [second, first]


def test_a_page_that_nobody_has_read_is_not_found_yet_and_read_once(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    run_id = add(html="page")
    page = PageText(html="page", project_id=evaluation.project_id, names="weather")
    with ledger.writing() as session:
        publish_page(session, page)
        publish_page(session, page)
    assert found(ledger, "thunder") == []
    with ledger.reading() as session:
        (unread,) = unread_pages(session, 9)
    for says in ("thunder", "lightning"):  # who comes second changes nothing
        with ledger.writing() as session:
            write_words(session, unread.id, says)
    with ledger.writing() as session:
        assert [page.has_words for page in unread_pages(session, 9)] == [True]
        write_figures(session, unread.id, [], 0)
        assert unread_pages(session, 9) == []
    assert (found(ledger, "thunder"), found(ledger, "lightning")) == ([run_id], [])


def test_older_runs_are_on_the_next_page(ledger: Ledger, add: Add) -> None:
    ids = [add() for _ in range(5)]
    with ledger.reading() as session:
        rows, older = search_rows(session, read_search("").wanted, 3, None)
    assert ([row.id for row in rows], older) == (ids[:1:-1], True)
    assert found(ledger, "", 3, rows[-1].id) == ids[1::-1]


def test_a_snippet_shows_where_the_word_stands(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    page_says(ledger, evaluation, "long", f"{'before ' * 40}the Rush\nhours {'after ' * 40}")
    page_says(ledger, evaluation, "other", "nothing of it")
    with ledger.reading() as session:
        told = snippets(session, ["long", "other"], ["rush hour"])
    assert list(told) == ["long"]
    assert told["long"].hit == "Rush\nhours"
    assert told["long"].before.startswith("… before")
    assert told["long"].before.endswith("the ")
    assert told["long"].after.endswith("after …")


def test_names_are_read_from_the_index_by_their_beginning(ledger: Ledger, add: Add) -> None:
    for name in ("daily", "daily", "dawn", "weekly"):
        add(report=name)
    with ledger.reading() as session:
        assert distinct_from(session, Run.report, "") == ["daily", "dawn", "weekly"]
        assert distinct_from(session, Run.report, "da") == ["daily", "dawn"]
        assert distinct_from(session, Run.report, "x") == []
        assert [one.name for one in reports_called(session, ["WEEK"])] == ["weekly"]


def test_identifiers_sort_around_an_instant() -> None:
    before = utc_now() - timedelta(seconds=2)
    run_id = new_id("run")
    assert first_id("run", before) < run_id < first_id("run", utc_now() + timedelta(seconds=2))
    assert first_id("run", datetime(1950, 1, 1, tzinfo=UTC)) < run_id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=40))
def test_whatever_is_sought_there_is_an_answer(ledger: Ledger, text: str) -> None:
    wanted = read_search(text.replace("\0", "")).wanted
    with ledger.reading() as session:
        search_rows(session, wanted, 5, None)
        reports_called(session, wanted.words)
        snippets(session, ["page"], wanted.words)
