"""Tables of data frames, and what became of their cells."""

import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.comparing.tables import Change, Table, compare_tables, read_table

FRAME = pd.DataFrame({"hour": [6, 7], "delay": [3.5, 14.25]}, index=["a", "b"])


def table(frame: pd.DataFrame) -> Table:
    found = read_table(frame.to_html())
    assert found is not None
    return found


def test_a_frame_is_read_as_it_is_shown() -> None:
    assert table(FRAME) == Table(("", "hour", "delay"), (("a", "6", "3.50"), ("b", "7", "14.25")))


def test_text_around_and_inside_of_a_table_is_no_cell() -> None:
    told = "<p>x</p><table><tr><th>n<tr><td>1 <b>2</b><script>3</script></table><table></table>"
    assert read_table(told) == Table(("n",), (("1 2",),))


@pytest.mark.parametrize("html", ["", "<p>none</p>", "<table></table>", "<td>1</td>"])
def test_what_is_no_table_is_none(html: str) -> None:
    assert read_table(html) is None


def test_a_table_too_large_to_be_compared_is_none() -> None:
    assert read_table(pd.DataFrame({"n": range(500)}).to_html(max_rows=None)) is None
    assert read_table(pd.DataFrame([range(80)]).to_html()) is None


def test_only_what_changed_is_told() -> None:
    found = compare_tables(table(FRAME), table(FRAME.assign(delay=[3.5, 15.75])))
    assert found.same_rows == 1
    assert found.rows == ((Change("b", "b"), Change("7", "7"), Change("14.25", "15.75")),)
    assert all(change.same for change in found.head)


def test_rows_and_columns_that_came_or_went_are_told_as_such() -> None:
    after = pd.DataFrame({"delay": [14.25, 1.0], "gust": [9, 8]}, index=["b", "c"])
    found = compare_tables(table(FRAME), table(after))
    assert [(one.before, one.after) for one in found.head] == [
        ("", ""), ("hour", None), ("delay", "delay"), (None, "gust"),
    ]  # fmt: skip
    assert [[(one.before, one.after) for one in row] for row in found.rows] == [
        [("a", None), ("6", None), ("3.50", None), (None, None)],
        [("b", "b"), ("7", None), ("14.25", "14.25"), (None, "9")],
        [(None, "c"), (None, None), (None, "1.00"), (None, "8")],
    ]


def test_rows_that_moved_or_are_called_alike_are_paired_in_turn() -> None:
    before = Table(("n", "v"), (("k", "1"), ("k", "2"), ("m", "3")))
    after = Table(("n", "v"), (("m", "3"), ("k", "1"), ("k", "5")))
    assert compare_tables(before, after).rows == ((Change("k", "k"), Change("2", "5")),)


def test_large_tables_are_compared_before_long() -> None:
    rows = [tuple(("k", str(n)) for n in range(400)), tuple((f"k{n % 2}", "") for n in range(400))]
    began = time.process_time()
    for _ in range(100):
        compare_tables(Table(("n", "v"), rows[0]), Table(("n", "v"), rows[1]))
    assert time.process_time() - began < 60


def test_tables_without_heads_are_paired_by_place() -> None:
    found = compare_tables(Table((), (("a", "1"),)), Table((), (("a", "2", "3"),)))
    assert found.rows == ((Change("a", "a"), Change("1", "2"), Change(None, "3")),)


@given(st.text(alphabet="<>/tabledhr \n'\"&;", max_size=300))
def test_any_markup_can_be_read(html: str) -> None:
    read_table(f"<table>{html}")


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3).map(tuple), max_size=5).map(tuple))
def test_a_table_is_the_same_as_itself(rows: tuple[tuple[str, ...], ...]) -> None:
    found = compare_tables(Table(("x",), rows), Table(("x",), rows))
    assert (found.rows, found.same_rows) == ((), len(rows))
