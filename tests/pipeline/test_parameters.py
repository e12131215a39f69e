import json
import string
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.parameter_values import Type, convert, to_text
from pipeline.parameters import (
    Parameter,
    ParameterError,
    Resolved,
    Schema,
    normalised,
    params_to_json,
    valid_name,
)
from pipeline.relative_dates import is_relative

TODAY = date(2013, 2, 14)  # a Thursday
ONE_DAY = timedelta(days=1)


def schema(**types: Type) -> Schema:
    return Schema(tuple(Parameter(name, kind, required=True) for name, kind in types.items()))


def resolved(kind: Type, raw: object, **changes: Any) -> object:
    parameter = normalised(Parameter("x", kind, **{"required": True, **changes}))
    return Schema((parameter,)).resolve({"x": raw}, TODAY)["x"].value


def refusal(kind: Type, raw: object, **changes: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        resolved(kind, raw, **changes)
    return caught.value.message


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("int", "1", 1),
        ("int", " -7 ", -7),
        ("int", 1.0, 1),
        ("int", 3, 3),
        ("float", "1", 1.0),
        ("float", "-.5e1", -5.0),
        ("float", 2, 2.0),
        ("bool", "yes", True),
        ("bool", "OFF", False),
        ("bool", True, True),
        ("text", "", ""),
        ("text", " a ", " a "),
        ("text", date(2013, 1, 31), "2013-01-31"),
        ("date", "2013-01-31", date(2013, 1, 31)),
        ("date", date(2013, 1, 31), date(2013, 1, 31)),
        ("date", "today", TODAY),
        ("date", "yesterday", date(2013, 2, 13)),
        ("date", "week_start", date(2013, 2, 11)),
        ("date", "month_start", date(2013, 2, 1)),
        ("date", "-3d", date(2013, 2, 11)),
        ("date", "+2w", date(2013, 2, 28)),
        ("date", "-1m", date(2013, 1, 14)),
        ("date", "month_start-1d", date(2013, 1, 31)),
        ("date", "month_start-1m", date(2013, 1, 1)),
        ("date", "week_start+1w", date(2013, 2, 18)),
        ("list", '[1, 2.5, "a"]', [1, 2.5, "a"]),
        ("list", (1, [None, date(2013, 1, 31)]), [1, [None, "2013-01-31"]]),
        ("dict", '{"a": {"b": true}}', {"a": {"b": True}}),
    ],
)
def test_values_and_texts_become_values_of_the_type(kind: Type, raw: object, value: object) -> None:
    found = resolved(kind, raw)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        ("int", True, "x: found True (bool), expected a whole number like 3."),
        ("int", "1.5", "x: found '1.5' (text), expected a whole number like 3."),
        ("int", 1.5, "x: found 1.5 (float), expected a whole number like 3."),
        ("int", 2.0**60, "x: found 1.152921504606847e+18 (float), expected a whole number like 3."),
        ("int", "１", "x: found '１' (text), expected a whole number like 3."),
        ("int", "1_000", "x: found '1_000' (text), expected a whole number like 3."),
        ("int", 10**1200, "x: found a number of more than 1000 digits, expected a whole number"),
        ("int", "9" * 5000, "x: found '99"),
        ("int", "__import__('os')", "x: found \"__import__('os')\" (text), expected a whole"),
        ("float", "nan", "x: found 'nan' (text), expected a number like 0.5."),
        ("float", float("nan"), "x: found nan (float), expected a number like 0.5."),
        ("float", float("-inf"), "x: found -inf (float), expected a number like 0.5."),
        ("float", "1e999", "x: found '1e999' (text), expected a number like 0.5."),
        ("float", 10**400, "x: found a number beyond all floats, expected a number like 0.5."),
        ("float", False, "x: found False (bool), expected a number like 0.5."),
        ("bool", "maybe", "x: found 'maybe' (text), expected true or false."),
        ("bool", 1, "x: found 1 (int), expected true or false."),
        ("text", 5, "x: found 5 (int), expected text."),
        ("text", "a\0b", "x: found text with a NUL or half a character, expected text."),
        ("text", "\ud800", "x: found text with a NUL or half a character, expected text."),
        ("date", "", "x is empty; expected a date like 2013-01-31, yesterday or -3d."),
        ("date", None, "x: found nothing, expected a date like 2013-01-31, yesterday"),
        (
            "date",
            "31.1.2013",
            "x: found '31.1.2013' (text), expected a date like 2013-01-31, yesterday or -3d.",
        ),
        (
            "date",
            "20130131",
            "x: found '20130131' (text), expected a date like 2013-01-31, yesterday or -3d.",
        ),
        ("date", "2013-02-30", "x: found '2013-02-30', which no calendar has, expected a date"),
        ("date", "+999999w", "x: found '+999999w', which no calendar has, expected a date"),
        ("date", "-999999m", "x: found '-999999m', which no calendar has, expected a date"),
        (
            "date",
            "today - 3d",
            "x: found 'today - 3d' (text), expected a date like 2013-01-31, yesterday or -3d.",
        ),
        ("date", "3d", "x: found '3d' (text), expected a date like 2013-01-31, yesterday"),
        (
            "date",
            20130131,
            "x: found 20130131 (int), expected a date like 2013-01-31, yesterday or -3d.",
        ),
        (
            "date",
            datetime(2013, 1, 31, tzinfo=UTC),
            "(a date with a time), expected a date like 2013-01-31, yesterday or -3d.",
        ),
        ("list", "1, 2", "x: found '1, 2', which is not JSON, expected a list like [1, 2]."),
        ("list", '{"a": 1}', "x: found '{\"a\": 1}' (text), expected a list like [1, 2]."),
        ("list", "[NaN]", "x: found nan inside, expected a list like [1, 2]."),
        ("list", "[" * 100_000, "x: found '[[["),
        ("list", "[" * 40 + "]" * 40, "x: found values nested more than 32 deep, expected"),
        ("list", [{1}], "x: found {1} inside, expected a list like [1, 2]."),
        ("dict", '{"a": 1, "a": 2}', "x: found a table that names a key twice, expected a table"),
        ("dict", {1: 2}, "x: found {1: 2} (dict), expected a table like"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_was_expected(
    kind: Type, raw: object, message: str
) -> None:
    found = refusal(kind, raw)
    assert message in found
    assert len(found) < 200


def test_bounds_and_choices_are_kept() -> None:
    assert resolved("int", "3", minimum=3, maximum=3) == 3
    assert refusal("int", "2", minimum=3) == "x: found 2, expected at least 3."
    assert refusal("float", 9.5, maximum=9) == "x: found 9.5, expected at most 9.0."
    assert refusal("date", "+1d", maximum="today") == (
        "x: found 2013-02-15, expected at most 2013-02-14."
    )
    assert refusal("text", "EWB", choices=("EWR", "JFK")) == (
        "x: found 'EWB', expected one of: EWR, JFK. Did you mean 'EWR'?"
    )
    assert resolved("int", "2", choices=("1", "2")) == 2


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        schema(date="date", n="int", rest="text").resolve({"dat": "x", "n": "x"}, TODAY)
    assert [problem.name for problem in caught.value.problems] == ["dat", "date", "n", "rest"]
    assert caught.value.message.split("\n") == [
        "'dat' is not a parameter. Did you mean 'date'? There are: date, n, rest.",
        "date is missing; expected a date like 2013-01-31, yesterday or -3d.",
        "n: found 'x' (text), expected a whole number like 3.",
        "rest is missing; expected text.",
    ]


def test_what_is_given_goes_before_the_case_and_the_case_before_the_default() -> None:
    parameters = tuple(Parameter(name, "int", default=0) for name in ("c", "a", "b"))
    found = Schema(parameters).resolve({"a": "1"}, TODAY, case={"a": 2, "b": 3})
    assert found == {
        "c": Resolved(0, "default"),
        "a": Resolved(1, "given"),
        "b": Resolved(3, "case"),
    }
    assert list(found) == ["c", "a", "b"]


def test_a_parameter_whose_default_is_none_may_be_left_empty() -> None:
    optional = Schema((Parameter("limit", "int"),))
    for raw in ({}, {"limit": ""}, {"limit": None}):
        assert optional.resolve(raw, TODAY)["limit"].value is None
    assert optional.resolve({"limit": "3"}, TODAY)["limit"].value == 3


def test_a_relative_default_follows_the_day() -> None:
    parameter = normalised(Parameter("date", "date", default="yesterday"))
    assert parameter.default == "yesterday"
    assert Schema((parameter,)).resolve({}, TODAY) == {
        "date": Resolved(date(2013, 2, 13), "default")
    }


def test_a_default_list_is_not_shared_between_runs() -> None:
    lists = Schema((Parameter("x", "list", default=[1]),))
    first = lists.resolve({}, TODAY)["x"].value
    assert isinstance(first, list)
    first.append(2)
    assert lists.resolve({}, TODAY)["x"].value == [1]


def test_values_become_json_with_dates_as_text() -> None:
    found = schema(d="date", l="list").resolve({"d": "today", "l": "[1]"}, TODAY)
    assert params_to_json(found) == {"d": "2013-02-14", "l": [1]}
    assert json.dumps(params_to_json(found))


def test_check_does_not_depend_on_the_day() -> None:
    parameter = normalised(Parameter("date", "date", required=True, maximum="today"))
    Schema((parameter,)).check({"date": "2999-01-01"})
    Schema((parameter,)).check({"date": "yesterday"})
    with pytest.raises(ParameterError, match="expected a date like"):
        Schema((parameter,)).check({"date": "soon"})


def test_code_sees_a_table_in_the_order_that_its_key_knows() -> None:
    given = '{"b": [{"d": 1, "c": 2}], "a": 1}'
    assert json.dumps(resolved("dict", given)) == '{"a": 1, "b": [{"c": 2, "d": 1}]}'


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        (Parameter("x", "int", default="many"), "x: default: found 'many' (text), expected"),
        (Parameter("x", "int", default=5, maximum=3), "x: default: found 5, expected at most 3."),
        (Parameter("x", "int", minimum=5, maximum=3), "x: min 5 is larger than max 3."),
        (Parameter("x", "int", minimum="low"), "x: min: found 'low' (text), expected a whole"),
        (Parameter("x", "text", minimum=5), "x: min: found 5 (int), expected text."),
        (Parameter("x", "bool", maximum=True), "x: min and max are for numbers and dates, not"),
        (Parameter("x", "text", choices=()), "x: choices is empty; name at least one value"),
        (Parameter("x", "int", choices=(1, None)), "x: choices: found nothing, expected a whole"),
        (Parameter("x", "date", choices=("today",)), "x: choices: today depends on the day;"),
        (Parameter("x", "text", default="c", choices=("a", "b")), "x: default: found 'c', expect"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(
    parameter: Parameter, message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        normalised(parameter)
    assert caught.value.message.startswith(message)


HOSTILE = [
    "x=1;import os;os.system('id')#",
    "class",
    "None",
    "__import__",
    "__builtins__",
    "a b",
    "a.b",
    "1a",
    "",
    "a\n",
    "ﬁle",  # Python itself would read it as another name
    "a-b",
    "{x}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_python_would_not_take_as_it_is_cannot_be_declared(name: str) -> None:
    assert not valid_name(name)
    with pytest.raises(ParameterError, match="cannot be the name of a parameter"):
        Schema((Parameter(name, "text"),))


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 10**6, "dates"])
def test_a_name_that_is_not_declared_never_passes(name: str) -> None:
    with pytest.raises(ParameterError, match="is not a parameter") as caught:
        schema(date="date").resolve({name: "1", "date": "today"}, TODAY)
    assert len(caught.value.message) < 300


def test_a_name_cannot_be_declared_twice() -> None:
    with pytest.raises(ParameterError, match="a is declared twice"):
        Schema((Parameter("a", "text"), Parameter("a", "int")))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_letters, max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)
VALUES: dict[Type, st.SearchStrategy[object]] = {
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "date": st.dates(),
    "list": st.lists(json_values, max_size=4),
    "dict": st.dictionaries(st.text(string.ascii_letters), json_values, max_size=4),
}


@settings(deadline=None)
@given(st.sampled_from(sorted(VALUES)).flatmap(lambda k: st.tuples(st.just(k), VALUES[k])))
def test_a_value_survives_the_way_through_a_text(pair: tuple[Type, object]) -> None:
    kind, value = pair
    found = resolved(kind, to_text(value))
    assert found == value
    assert type(found) is type(value)
    assert resolved(kind, value) == value


@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=20) | st.sampled_from(HOSTILE), st.text() | json_values),
    st.sampled_from(sorted(VALUES)),
)
def test_nothing_passes_but_declared_names_with_values_of_their_type(
    raw: dict[str, object], kind: Type
) -> None:
    parameters = Schema((Parameter("wanted", kind, required=True),))
    types = {"text": str, "int": int, "float": float, "bool": bool, "date": date}
    try:
        found = parameters.resolve(raw, TODAY)
    except ParameterError as error:
        assert error.problems  # noqa: PT017 (either outcome is right)
        return
    assert set(raw) == set(found) == {"wanted"}
    assert type(found["wanted"].value) is {**types, "list": list, "dict": dict}[kind]


@settings(deadline=None)
@given(st.text(), st.sampled_from(sorted(VALUES)))
def test_any_text_is_converted_or_refused_but_never_breaks(text: str, kind: Type) -> None:
    try:
        resolved(kind, text)
    except ParameterError as error:
        assert "x" in error.message  # noqa: PT017


@settings(deadline=None)
@given(st.dates(), st.sampled_from(["today", "yesterday", "week_start", "month_start", "-1d"]))
def test_relative_dates_lie_shortly_before_the_day(day: date, word: str) -> None:
    assert is_relative(word)
    if day < date(1, 2, 1):
        return
    found = convert("date", word, day)
    assert isinstance(found, date)
    assert 0 <= (day - found).days <= 30


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-999, 999))
def test_months_on_is_the_same_day_of_the_month_or_its_last(day: date, months: int) -> None:
    found = convert("date", f"{months:+}m", day)
    assert isinstance(found, date)
    assert (found.year - day.year) * 12 + found.month - day.month == months
    assert found.day == day.day or (found.day < day.day and (found + ONE_DAY).day == 1)


def test_choices_of_a_list_are_what_may_stand_in_it() -> None:
    carriers = ("AA", "UA", "B6")
    assert resolved("list", '["UA", "AA"]', choices=carriers) == ["UA", "AA"]
    assert resolved("list", [], choices=carriers) == []
    assert refusal("list", ["AA", "UB"], choices=carriers) == (
        "x: found 'UB', expected only: AA, UA, B6. Did you mean 'UA'?"
    )
    assert refusal("list", [True, 2], choices=(1, 2)) == "x: found 'true', expected only: 1, 2."


def test_a_default_list_that_holds_something_else_than_its_choices_is_refused() -> None:
    with pytest.raises(ParameterError, match="expected only: a, b"):
        normalised(Parameter("x", "list", default=["a", "c"], choices=("a", "b")))
