"""Lists and tables as lines of text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.rows import read_lines, write_lines
from pipeline.parameter_values import UnfitValueError
from pipeline.parameters import Parameter

TEXTS = Parameter("x", "list", default=["a"])
ANY = Parameter("x", "list", default=[1])
TABLE = Parameter("x", "dict", default={"a": 1})
TEXT_TABLE = Parameter("x", "dict", default={"a": "b"})
ITEMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def plain(value: object) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("parameter", "value", "lines"),
    [
        (TEXTS, ["AA", "9E", "007", "1"], "AA\n9E\n007\n1"),
        (ANY, [1, 2.5, "AA", "1", True, None], '1\n2.5\nAA\n"1"\ntrue\nnull'),
        (ANY, [], ""),
        (TABLE, {"delay": 1.0, "note": "late", "n": [1]}, "delay = 1.0\nnote = late\nn = [1]"),
        (TEXT_TABLE, {"a": "1", "b": "x = y"}, "a = 1\nb = x = y"),
    ],
)
def test_an_item_stands_on_a_line_of_its_own(parameter, value, lines) -> None:
    assert write_lines(parameter, value) == lines
    assert plain(read_lines(parameter, lines)) == plain(value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (TEXTS, ["two\nlines"]),
        (TEXTS, [" a"]),
        (TEXTS, ["a", 1]),
        (TEXTS, ["[1]", "b"]),
        (TEXTS, [""]),
        (ANY, [[1], 2]),
        (TABLE, {"a = b": 1}),
        (TABLE, {"": 1}),
        (TABLE, {"{": 1}),
    ],
)
def test_what_lines_cannot_hold_is_not_written_as_lines(parameter, value) -> None:
    assert write_lines(parameter, value) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb", "found 'b', expected a line like name = value."),
        ("= 1", "found '= 1', expected a line like name = value."),
        ("a = 1\n a =2", "found 'a' twice, expected each name once."),
    ],
)
def test_lines_that_are_no_table_are_refused(text: str, message: str) -> None:
    with pytest.raises(UnfitValueError) as caught:
        read_lines(TABLE, text)
    assert caught.value.message == message


@settings(deadline=None)
@given(st.lists(ITEMS, max_size=5), st.sampled_from([TEXTS, ANY]))
def test_what_is_written_of_a_list_is_read_back_as_it_was(value, parameter) -> None:
    lines = write_lines(parameter, value)
    assert lines is None or plain(read_lines(parameter, lines)) == plain(value)


@settings(deadline=None)
@given(st.dictionaries(st.text(), ITEMS, max_size=5), st.sampled_from([TABLE, TEXT_TABLE]))
def test_what_is_written_of_a_table_is_read_back_as_it_was(value, parameter) -> None:
    lines = write_lines(parameter, value)
    assert lines is None or plain(read_lines(parameter, lines)) == plain(value)


@settings(deadline=None)
@given(st.text(alphabet=st.characters() | st.sampled_from('\n=[]{}",1')))
def test_any_text_is_read_or_refused_but_never_breaks(text: str) -> None:
    for parameter in (TEXTS, ANY, TABLE, TEXT_TABLE):
        try:
            found = read_lines(parameter, text)
        except UnfitValueError as error:
            assert error.message  # noqa: PT017 (either outcome is right)
            continue
        assert json.dumps(found)
