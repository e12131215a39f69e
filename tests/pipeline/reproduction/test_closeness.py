"""Texts that are the same, nearly the same, or not."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.reproduction.answer import Grade
from pipeline.reproduction.closeness import Closeness, Measure, compare_texts, relative_difference
from pipeline.reproduction.normal import Window, normal

THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 7, 9, 8, tzinfo=UTC)
BEFORE = Window(THEN, THEN + timedelta(minutes=2))
AFTER = Window(NOW, NOW + timedelta(minutes=2))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=200)
LIKE_NUMBERS = st.text("#\0 \t15.,e-x\n", max_size=20)


def compared(before: str, after: str, tolerance: float = 1e-9) -> Closeness:
    return compare_texts(before, after, Measure(BEFORE, AFTER, tolerance))


@given(TEXTS)
def test_a_text_is_identical_to_itself(text: str) -> None:
    assert compared(text, text).grade == Grade.IDENTICAL


@given(TEXTS, TEXTS)
def test_the_answer_does_not_depend_on_which_came_first(one: str, other: str) -> None:
    forth = compare_texts(one, other, Measure(BEFORE, BEFORE, 1e-9))
    back = compare_texts(other, one, Measure(BEFORE, BEFORE, 1e-9))
    assert (forth.grade, forth.relative) == (back.grade, back.relative)


@given(LIKE_NUMBERS, LIKE_NUMBERS)
@example("total: #", "total: 5")
@example("total: \0", "total: 5")
@example("# 1", "1 #")
def test_no_character_passes_for_a_number(one: str, other: str) -> None:
    found = compared(one, other)
    shown = [re.sub(r"[-+.,0-9e \t]", "", text) for text in (one, other)]
    if shown[0] != shown[1]:
        assert found.grade == Grade.DIFFERS


@given(FLOATS, FLOATS)
def test_numbers_are_near_by_their_relative_difference_alone(one: float, other: float) -> None:
    found = compared(f"x = {one!r}", f"x = {other!r}", 1e-6)
    if repr(one) == repr(other):
        assert found.grade == Grade.IDENTICAL
    else:
        near = relative_difference(one, other) <= 1e-6
        assert found.grade == (Grade.WITHIN_TOLERANCE if near else Grade.DIFFERS)


@given(st.integers(min_value=10**12), st.integers(min_value=1, max_value=5))
def test_whole_numbers_are_never_nearly_the_same(number: int, step: int) -> None:
    assert compared(f"{number} flights", f"{number + step} flights").grade == Grade.DIFFERS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<Thing at 0x7f30c2a4d5b0>", "<Thing at 0x7fd0aa04f1c0>"),
        ("made 2026-03-01T12:01:03.123456+00:00", "made 2026-07-09T08:00:01Z"),
        ("made 2026-03-01 13:01:03", "made 2026-07-09 03:00:01,250"),
        ("on 2026-03-01", "on 2026-07-09"),
        ("Sun Mar  1 12:01:00 2026", "Thu Jul  9 08:01:00 2026"),
        (f"t={THEN.timestamp() + 5:.3f}", f"t={NOW.timestamp() + 7:.3f}"),
        ("2.31 ms ± 12.1 µs per loop (mean ± std. dev.)", "2.5 ms ± 9 µs per loop (mean)"),
        ("query took 0.31 s", "query took 1.2 s"),
        ("/tmp/tmpab12/x.csv", "/tmp/tmp99zz/x.csv"),
        ("CPU times: user 3 ms\nWall time: 2 s", "CPU times: user 9 ms\nWall time: 1min 3s"),
        ("10%|#   |\r100%|####| 00:01<00:00, 9.1it/s", "100%|####| 00:02<00:00, 8.0it/s"),
        ("id 6f1c2d3e-1111-4222-8333-123456789abc", "id 0a1c2d3e-1111-4222-8333-123456789abc"),
        ('<path id="m1a2b3c4d5e"/>', '<path id="m0f0f0f0f0f"/>'),
        ("<dc:date>2026-03-01T12:00</dc:date>", "<dc:date>2020-01-01</dc:date>"),
    ],
)
def test_what_is_never_the_same_twice_is_set_aside(before: str, after: str) -> None:
    assert compared(before, after) == Closeness(Grade.IDENTICAL, aside=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("departure 2013-01-31 05:15", "departure 2013-01-31 05:45"),
        ("last day 2013-01-31", "last day 2013-02-01"),
        ("mean delay 12.6 min", "mean delay 13.6 min"),
        ("mean delay 12.6 s", "mean delay 13.6 s"),
        ("colour 0xff00ff", "colour 0xff00fe"),
        ("1357034100 flights", "1357034101 flights"),
        ("passed", "failed"),
        ("1 2 3", "1 2 3 4"),
        ("1" * 5000, "2" * 5000),
        ("nan", "0.5"),
        ("v1.2.3", "v1.2.4"),
        ("a -1.5", "a 1.5"),
        ("a b", "a  b"),
        ("a\n", "a"),
    ],
)
def test_what_may_be_a_result_never_is(before: str, after: str) -> None:
    found = compared(before, after)
    assert found.grade == Grade.DIFFERS
    assert not found.aside


def test_columns_that_grow_with_their_digits_are_the_same_table() -> None:
    before = "name      mean\na     0.3\nb     12.5"
    after = "name      mean\na     0.30000000000000004\nb    12.5"
    found = compared(before, after)
    assert found.grade == Grade.WITHIN_TOLERANCE
    assert found.relative == pytest.approx(1.8e-16, rel=0.1)


def test_thousands_and_exponents_are_numbers() -> None:
    assert compared("1,234.500000000001", "1,234.5").grade == Grade.WITHIN_TOLERANCE
    assert compared("1.5e-20", "1.5000000000000001e-20").grade == Grade.WITHIN_TOLERANCE
    assert compared("1.5e-20", "1.6e-20").grade == Grade.DIFFERS


@pytest.mark.parametrize("text", ["x" * 300_000, "1" * 300_000, "/run_" * 60_000, "ab12" * 75_000])
def test_a_long_line_takes_no_longer_than_many_short_ones(text: str) -> None:
    assert compared(text, f"{text}!").grade == Grade.DIFFERS


def test_the_first_line_that_differs_is_shown_near_its_difference() -> None:
    lead = "x" * 100
    found = compared(f"same\n{lead} old\nmore", f"same\n{lead} new\nless")
    assert found.before.endswith("x old")
    assert found.after.endswith("x new")
    assert found.before.startswith("…")


@given(TEXTS)
def test_marks_are_put_in_once(text: str) -> None:
    once = normal(text, BEFORE)
    assert normal(once, BEFORE) == once


@given(FLOATS, FLOATS)
def test_the_relative_difference_is_a_number_between_nought_and_two(a: float, b: float) -> None:
    assert 0 <= relative_difference(a, b) <= 2 or relative_difference(a, b) == float("inf")


def test_not_a_number_is_the_same_as_itself_and_near_nothing() -> None:
    nan = float("nan")
    assert relative_difference(nan, nan) == 0
    assert relative_difference(nan, 1.0) == float("inf")
    assert relative_difference(float("inf"), 1.0) == float("inf")
