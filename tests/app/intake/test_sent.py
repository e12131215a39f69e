"""A form that is sent as it was shown gives what it was shown for."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.intake.fields import Field, make_fields
from app.intake.sent import Sent, read_form
from pipeline.parameter_values import TYPES, Type
from pipeline.parameters import Parameter, ParameterError, Schema, normalised, params_to_json

TODAY = date(2013, 2, 14)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
VALUES: dict[Type, st.SearchStrategy[Any]] = {
    # A browser sends all ends of lines alike.
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\r\0")),
    "int": st.integers(-(10**30), 10**30),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "date": st.dates(),
    "list": st.lists(JSON, max_size=4),
    "dict": st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=3),
}
TYPED = st.sampled_from(TYPES).flatmap(
    lambda kind: st.tuples(st.just(kind), VALUES[kind], VALUES[kind])  # type: ignore[index]
)


def sent(field: Field) -> MultiDict[str, str]:
    """Return what a browser sends of *field*, which nobody has touched."""
    ticked = {
        "checkbox": ["true"] if field.value == "true" else [],
        "checkboxes": field.chosen,
        "radios": [one for one in field.options if one == field.value],
    }
    # A browser writes the ends of lines in its own way.
    texts = ticked.get(field.widget, [field.value.replace("\n", "\r\n")])
    shown = [(f"shown.{field.parameter}", "1")] if "checkbox" in field.widget else []
    return MultiDict([*shown, *((field.name, text) for text in texts)])


def shown_and_sent(parameter: Parameter, value: object) -> object:
    schema = Schema((parameter,))
    (field,) = make_fields(schema, Sent({parameter.name: value}), {}, TODAY).fields
    read = read_form(schema, sent(field))
    assert read.problems == {}
    return params_to_json(schema.resolve(read.values, TODAY))[parameter.name]


@settings(deadline=None, max_examples=400)
@given(TYPED, st.booleans())
def test_a_value_that_is_shown_and_sent_is_the_same_value(told, has_default: bool) -> None:
    kind, default, value = told
    try:
        parameter = normalised(Parameter("x", kind, default if has_default else None))
        expected = params_to_json(Schema((parameter,)).resolve({"x": value}, TODAY))["x"]
    except ParameterError:
        return  # a text that no database holds
    found = shown_and_sent(parameter, value)
    if parameter.nullable and kind == "text" and not value.strip():
        expected = None  # a blank field leaves out what may be left out
    assert found == expected
    assert repr(found) == repr(expected)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "1", "[x"]), max_size=4), st.booleans())
def test_a_list_of_choices_is_the_same_list_whatever_its_order(value, required: bool) -> None:
    told = Parameter("x", "list", required=required, choices=("a", "b", "1", "[x"))
    assert shown_and_sent(normalised(told), value) == value


def test_ticks_are_the_choices_themselves_not_their_texts() -> None:
    told = normalised(Parameter("x", "list", default=[1], choices=(1, 2, "a")))
    schema = Schema((told,))
    form = MultiDict([("shown.x", "1"), ("param.x", "2"), ("param.x", "a")])
    assert read_form(schema, form).values == {"x": [2, "a"]}
    assert read_form(schema, MultiDict([("shown.x", "1")])).values == {"x": []}
    assert read_form(schema, MultiDict()).values == {}
    forged = read_form(schema, MultiDict([("param.x", "2"), ("param.x", "b")])).values
    with pytest.raises(ParameterError, match="found 'b', expected only: 1, 2, a"):
        schema.resolve(forged, TODAY)


def test_lines_of_several_values_are_told_apart_and_blank_ones_left_out() -> None:
    schema = Schema((Parameter("x", "int", default=1),))
    form = MultiDict([("several.x", "1\r\n\r\n 2 .. 3 \r\n"), ("several.y", " "), ("param.x", "1")])
    assert read_form(schema, form).several == {"x": ["1", "2 .. 3"]}
    ticked = MultiDict([("several.x", "1"), ("several.x", "2")])
    assert read_form(schema, ticked).several == {"x": ["1", "2"]}


def test_a_table_that_is_none_is_told_and_stays_as_it_was_written() -> None:
    schema = Schema((Parameter("x", "dict", default={"a": 1}),))
    read = read_form(schema, MultiDict([("param.x", "a 1")]))
    assert read.problems == {"x": ["found 'a 1', expected a line like name = value."]}
    (field,) = make_fields(schema, read, read.problems, TODAY).fields
    assert (field.widget, field.value) == ("lines", "a 1")
