from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.parameter import Parameter, ParameterError
from pipeline.parameter_values import Type
from pipeline.parameters import Schema, params_to_json
from pipeline.sweep import MOST_RUNS, TooManyRunsError, sweep

TODAY = date(2013, 2, 14)
SCHEMA = Schema(
    (
        Parameter("day", "date", default="yesterday"),
        Parameter("limit", "int", default=3, minimum=0, maximum=1000),
        Parameter("share", "float", default=0.5),
        Parameter("airport", "text", default="JFK", choices=("EWR", "JFK")),
        Parameter("note", "text", default=""),
        Parameter("exact", "bool", default=True),
        Parameter("rest", "list", default=[1]),
        Parameter("until", "int"),
    )
)


def values(name: str, *items: object) -> list[object]:
    """Return the values that the runs have which *items* make."""
    return [params_to_json(found)[name] for found in sweep(SCHEMA, {}, {name: items}, TODAY)]


def problems(several: dict[str, list[Any]], **given_: object) -> dict[str, str]:
    with pytest.raises(ParameterError) as caught:
        sweep(SCHEMA, given_, several, TODAY)
    return {problem.name: problem.message for problem in caught.value.problems}


def test_nothing_given_several_times_makes_one_run() -> None:
    (found,) = sweep(SCHEMA, {"limit": "7"}, {}, TODAY)
    assert (found["limit"].value, found["day"].value) == (7, date(2013, 2, 13))


@pytest.mark.parametrize(
    ("name", "items", "found"),
    [
        ("limit", ["1", "5", "1", " 2 "], [1, 5, 2]),
        ("limit", ["1 .. 3", "7..9 step 2"], [1, 2, 3, 7, 9]),
        ("limit", [4, "4 .. 4"], [4]),
        ("share", ["0 .. 0.3 step 0.1"], [0.0, 0.1, 0.2, 0.3]),
        ("share", ["-1e-1 .. 1e-1 step 1e-1"], [-0.1, 0.0, 0.1]),
        ("day", ["yesterday", "-1d", "2013-01-01"], ["2013-02-13", "2013-01-01"]),
        ("day", ["-2d .. today"], ["2013-02-12", "2013-02-13", "2013-02-14"]),
        ("day", ["2013-01-01 .. 2013-01-20 step 1w"], ["2013-01-01", "2013-01-08", "2013-01-15"]),
        (
            "day",
            ["2013-01-31 .. 2013-04-29 step 1m"],
            ["2013-01-31", "2013-02-28", "2013-03-31"],
        ),
        ("airport", ["EWR", "JFK"], ["EWR", "JFK"]),
        ("exact", ["true", "no"], [True, False]),
        ("note", ["1 .. 3", "a, b"], ["1 .. 3", "a, b"]),
        ("until", [None, "1 .. 2"], [None, 1, 2]),
    ],
)
def test_values_and_ranges_make_a_run_each(name: str, items: list[object], found: object) -> None:
    assert values(name, *items) == found


def test_every_combination_is_made_in_the_order_of_what_was_given() -> None:
    several = {"airport": ["JFK", "EWR"], "limit": ["1 .. 2"]}
    found = sweep(SCHEMA, {"note": "x", "limit": "rubbish"}, several, TODAY)
    assert [(one["airport"].value, one["limit"].value) for one in found] == [
        ("JFK", 1),
        ("JFK", 2),
        ("EWR", 1),
        ("EWR", 2),
    ]
    assert {one["note"].value for one in found} == {"x"}
    assert {one["limit"].origin for one in found} == {"given"}


@pytest.mark.parametrize(
    ("name", "items", "message"),
    [
        ("limit", ["many"], "limit: found 'many' (text), expected a whole number like 3."),
        ("limit", ["5", "1001"], "limit: found 1001, expected at most 1000."),
        ("limit", ["3 .. 1"], "limit: the range '3 .. 1' begins after its end."),
        ("limit", ["1 .. 3 step 0"], "limit: the range '1 .. 3 step 0' has a step that leads"),
        ("limit", ["0 .. 9999999999"], "limit: the range '0 .. 9999999999' has more than 400"),
        ("limit", [*range(401)], "limit: found more than 400 values, which are too many."),
        ("limit", [], "limit: found no values, expected at least one."),
        ("limit", [None], "limit: found nothing, expected a whole number like 3."),
        ("share", ["0 .. 1"], "share: the range '0 .. 1' needs a step, such as 0 .. 1 step 0.1."),
        ("share", ["0 .. 1e308 step 1e-308"], "share: the range '0 .. 1e308 step 1e-308' has more"),
        ("share", ["0 .. 1 step -1"], "share: the range '0 .. 1 step -1' has a step that leads"),
        ("day", ["today .. 9999-12-31"], "day: the range 'today .. 9999-12-31' has more than 400"),
        ("day", ["today .. +1d step 1y"], "day: the range 'today .. +1d step 1y' needs a step li"),
        ("day", ["2013-02-30"], "day: found '2013-02-30', which no calendar has, expected a date"),
        ("airport", ["JFK", "EWB"], "airport: found 'EWB', expected one of: EWR, JFK. Did you"),
        ("rest", ["[1]", "[2]"], "rest is a list, which has one value at a time."),
        ("lmit", ["1"], "'lmit' is not a parameter. Did you mean 'limit'?"),
    ],
)
def test_what_is_wrong_is_told_by_its_parameter(name: str, items: list[Any], message: str) -> None:
    found = problems({name: items})
    assert list(found) == [name]
    assert found[name].startswith(message)


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = problems({"limit": ["x"], "airport": ["EWB"]}, day="soon", dya="today")
    assert set(found) == {"limit", "airport", "day", "dya"}


def test_too_many_combinations_are_refused_before_any_is_made() -> None:
    with pytest.raises(TooManyRunsError, match="make 63,001 runs, and at most 400"):
        sweep(SCHEMA, {}, {"limit": ["0 .. 250"], "day": ["2013-01-01 .. 2013-09-08"]}, TODAY)


RANGES = st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 10**4), st.integers(1, 10**4))


@settings(deadline=None)
@given(RANGES)
def test_a_range_of_whole_numbers_begins_at_its_first_and_keeps_its_step(told) -> None:
    low, length, step = told
    schema = Schema((Parameter("n", "int", required=True),))
    text = f"{low} .. {low + length} step {step}"
    if length // step >= MOST_RUNS:
        with pytest.raises(ParameterError):
            sweep(schema, {}, {"n": [text]}, TODAY)
        return
    found = [one["n"].value for one in sweep(schema, {}, {"n": [text]}, TODAY)]
    assert found == list(range(low, low + length + 1, step))


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 300), st.integers(1, 40))
def test_a_range_of_days_holds_its_first_and_nothing_after_its_last(
    low: date, length: int, step: int
) -> None:
    high = low + timedelta(days=length)
    for unit, days in (("d", 1), ("w", 7), ("m", 31)):
        found = values("day", f"{low} .. {high} step {step}{unit}")
        assert found[0] == low.isoformat()
        assert found == sorted(set(found), key=str)
        assert date.fromisoformat(str(found[-1])) <= high
        assert (high - date.fromisoformat(str(found[-1]))).days < step * days


SOME_TEXT = st.text() | st.text(alphabet="0123456789.-+eE stepdwm")


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(SCHEMA.names), st.lists(SOME_TEXT, max_size=5))
def test_any_texts_are_values_or_refused_but_never_break(name: str, items: list[str]) -> None:
    kinds: dict[Type, type] = {"text": str, "int": int, "float": float, "bool": bool, "date": date}
    try:
        found = sweep(SCHEMA, {}, {name: items}, TODAY)
    except (ParameterError, TooManyRunsError) as error:
        assert error.message  # noqa: PT017 (either outcome is right)
        return
    assert 1 <= len(found) <= MOST_RUNS
    assert all(type(one[name].value) is kinds[SCHEMA.by_name[name].type] for one in found)


@pytest.mark.parametrize("line", ["." * 200_000 + " x", " " * 200_000 + "..", "1" * 200_000])
def test_a_line_that_is_too_long_for_a_range_is_none(line: str) -> None:
    """By the square, these would hold up the server for hours."""
    assert "day" in problems({"day": [line]})
