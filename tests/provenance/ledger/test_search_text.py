"""What somebody types into the search box: filters are read, what is wrong is told, the rest are
words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.ledger.columns import utc_now
from provenance.ledger.search import MetricBound, RunFilter
from provenance.ledger.search_text import read_search
from provenance.ledger.states import Status, Verdict

ANY = RunFilter(begun=True)


def narrowed(text: str) -> dict[str, object]:
    """Return what of a search differs from one for anything."""
    search = read_search(text)
    assert search.problems == ()
    return {name: value for name, value in vars(search.wanted).items() if value != vars(ANY)[name]}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        ("  ", {}),
        ("project:flights", {"project": "flights"}),
        ("Report:daily branch:main", {"report": "daily", "branch": "main"}),
        ('report:"two words"', {"report": "two words"}),
        ("actor:ada", {"actor": "ada"}),
        ("commit:4F2C9A1", {"commit": "4f2c9a1"}),
        ("status:failed", {"verdict": Verdict.FAILED}),
        ("status:fail", {"verdict": Verdict.FAILED}),
        ("status:run", {"status": Status.RUNNING}),
        ("status:out_of_memory", {"verdict": Verdict.OUT_OF_MEMORY}),
        ("purpose:whatif", {"purpose": "whatif"}),
        ("param.date:2013-01", {"params": {"date": "2013-01"}}),
        ("param.a:1 param.b:x", {"params": {"a": "1", "b": "x"}}),
        ("metric.rmse>2", {"metrics": (MetricBound("rmse", ">", 2.0),)}),
        ("metric.rmse<=1e3", {"metrics": (MetricBound("rmse", "<=", 1000.0),)}),
        ("metric.delay.mean:2", {"metrics": (MetricBound("delay.mean", "=", 2.0),)}),
        ("since:2013-02-28", {"since": datetime(2013, 2, 28, tzinfo=UTC)}),
        (
            "until:2013-02-28T12:00+02:00",
            {"until": datetime(2013, 2, 28, 10, tzinfo=UTC)},
        ),
        ("rush hour", {"words": ("rush", "hour")}),
        ('"rush hour" report:daily', {"words": ("rush hour",), "report": "daily"}),
        ("at 12:30", {"words": ("at", "12:30")}),
        ("https://example.org", {"words": ("https://example.org",)}),
        ("Warning:", {"words": ("Warning:",)}),
        ("n=5 cases", {"words": ("n=5", "cases")}),
        (
            'metric."worst tenth">2',
            {"metrics": (MetricBound("worst tenth", ">", 2.0),)},
        ),
        (
            "metric.rmse>1 metric.rmse<2",
            {"metrics": (MetricBound("rmse", ">", 1.0), MetricBound("rmse", "<", 2.0))},
        ),
        ('tag:"for the paper" tag:v1', {"tags": ("for the paper", "v1")}),
        ('comment:"wrong sensor"', {"comments": ("wrong sensor",)}),
        ("pinned:Yes", {"pinned": True}),
        ("pinned:no", {"pinned": False}),
        ("status:canceled", {"verdict": Verdict.CANCELLED}),
        ("4F2C9A1", {"words": ("4F2C9A1",), "digits": "4f2c9a1"}),
        ("4f2c9a", {"words": ("4f2c9a",)}),
        ("4f2c9a1 hours", {"words": ("4f2c9a1", "hours")}),
        ("4f2c9a1 branch:main", {"words": ("4f2c9a1",), "branch": "main"}),
    ],
)
def test_filters_and_words_are_told_apart(text: str, changes: dict[str, object]) -> None:
    assert narrowed(text) == changes


@pytest.mark.parametrize("text", ["since:", "metric.rmse>", "report:", "param.date:"])
def test_a_filter_that_is_not_finished_asks_for_nothing(text: str) -> None:
    assert narrowed(text) == {}


def test_how_long_ago_is_counted_from_now() -> None:
    for text, ago in (("90min", timedelta(minutes=90)), ("7D", timedelta(days=7))):
        since = read_search(f"since:{text}").wanted.since
        assert since is not None
        assert abs(since - (utc_now() - ago)) < timedelta(seconds=60)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("reprot:daily", "reprot: is no filter. Did you mean 'report'?"),
        ("status:faild", "Did you mean 'failed'?"),
        ("commit:main", "expected its first hexadecimal digits"),
        ("since:soon", "expected a day such as 2013-02-28, or how long ago: 90min, 12h, 7d, 2w."),
        ("metric.rmse>high", "metric.rmse: found 'high', expected a number, as in metric.rmse>2."),
        ("metric.rmse>nan", "metric.rmse: found 'nan', expected a number"),
        ("metric.rmse<inf", "metric.rmse: found 'inf', expected a number"),
        ("metric.>2", "metric: is written as metric.NAME, as in metric.rmse>2."),
        ("param.:2", "param: is written as param.NAME, as in param.date:2013-01."),
        ("rmse>2", "rmse> is no filter. Numbers are compared as in metric.rmse>2"),
        ("branch:fix", "branch: is there twice; what is given last counts."),
        ("metric:2", "metric: is written as metric.NAME, as in metric.rmse>2."),
        ("report.daily:x", "report: is written as report:VALUE, as in report:sanity_check."),
        ("report>daily", "report: takes a colon, as in report:sanity_check."),
        ("param.a-b:1", "'a-b' cannot be a parameter."),
        ("purpose:fun", "expected one of"),
        ("pinned:maybe", "pinned: found 'maybe', expected yes or no."),
    ],
)
def test_what_is_no_filter_is_told_and_the_rest_is_sought(text: str, told: str) -> None:
    search = read_search(f"{text} branch:main hours")
    (problem,) = search.problems
    assert told in problem
    assert (search.wanted.branch, search.wanted.words) == ("main", ("hours",))


@given(st.text(max_size=200))
def test_anything_can_be_typed(text: str) -> None:
    read_search(text)


@given(st.lists(st.sampled_from(["report:", "metric.", "param.x:", '"', ">", "2", "a", " ", ":"])))
def test_any_order_of_pieces_can_be_typed(pieces: list[str]) -> None:
    read_search("".join(pieces))


def test_what_holds_nothing_to_be_sought_is_told() -> None:
    (problem,) = read_search("— !").problems
    assert problem == "'— !' has no letter and no digit to be sought."
