"""Parquet tables by their values."""

from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pipeline.reproduction.answer import Counts, Grade, answer
from pipeline.reproduction.closeness import Closeness, relative_difference
from pipeline.reproduction.tables import compare_tables

COLUMN = st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=8)


def compared(folder: Path, before: Any, after: Any, tolerance: float = 1e-9) -> Closeness:
    paths = [folder / "before", folder / "after"]
    for path, told in zip(paths, (before, after), strict=True):
        table = told if isinstance(told, pyarrow.Table) else pyarrow.table(told)
        parquet.write_table(table, path)
    return compare_tables(*paths, tolerance)


@settings(deadline=None)  # the first one imports pyarrow
@given(column=COLUMN)
def test_a_column_is_the_same_as_itself(
    tmp_path_factory: pytest.TempPathFactory, column: list[float | None]
) -> None:
    column = pyarrow.array(column, pyarrow.float64())
    found = compared(tmp_path_factory.mktemp("t"), {"x": column}, {"x": column})
    assert found.grade == Grade.IDENTICAL


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=6))
def test_columns_are_as_near_as_their_farthest_values(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[float, float]]
) -> None:
    before, after = ([pair[side] for pair in pairs] for side in (0, 1))
    found = compared(tmp_path_factory.mktemp("t"), {"x": before}, {"x": after}, 1e-6)
    largest = max(relative_difference(*pair) for pair in pairs)
    if largest == 0:
        assert found.grade == Grade.IDENTICAL
    else:
        near = largest <= 1e-6
        assert found.grade == (Grade.WITHIN_TOLERANCE if near else Grade.DIFFERS)


@pytest.mark.parametrize("kind", [pyarrow.float32(), pyarrow.float64()], ids=str)
def test_a_missing_value_is_another_than_not_a_number(
    tmp_path: Path, kind: pyarrow.DataType
) -> None:
    missing, nan = (pyarrow.array([0.5, value], kind) for value in (None, float("nan")))
    found = compared(tmp_path, {"x": missing}, {"x": nan}, tolerance=1.0)
    assert (found.grade, found.before, found.after) == (
        Grade.DIFFERS, "column x, row 2: None", "column x, row 2: nan",
    )  # fmt: skip
    assert compared(tmp_path, {"x": nan}, {"x": missing}).grade == Grade.DIFFERS
    assert compared(tmp_path, {"x": nan}, {"x": nan}).grade == Grade.IDENTICAL


def test_equal_values_in_other_bytes_are_told_as_just_that(tmp_path: Path) -> None:
    table = pyarrow.table({"x": [1.5, 2.5]})
    found = compared(tmp_path, table, table.replace_schema_metadata({"by": "another"}))
    assert found == Closeness(Grade.IDENTICAL, other_bytes=True)
    told = answer([], [], Counts(1, 0), 1e-9, other_bytes=["stage made, output"])
    assert told.sentence == (
        "Identical: 1 stage and 0 cells gave the same. "
        "Other bytes, equal values: stage made, output."
    )
    assert told.details["other_bytes"] == ["stage made, output"]


def test_what_differs_is_told_by_column_and_row(tmp_path: Path) -> None:
    found = compared(tmp_path, {"n": [1, 2], "w": ["a", "b"]}, {"n": [1, 2], "w": ["a", "c"]})
    assert (found.grade, found.before, found.after) == (
        Grade.DIFFERS, "column w, row 2: 'b'", "column w, row 2: 'c'",
    )  # fmt: skip
    found = compared(tmp_path, {"x": [1.0, 2.0]}, {"x": [1.0, 2.5]})
    assert (found.before, found.after) == ("column x, row 2: 2.0", "column x, row 2: 2.5")
    assert compared(tmp_path, {"x": [1, 2]}, {"x": [1, 2, 3]}).after == "3 rows"
    found = compared(tmp_path, {"x": [1]}, {"x": [1], "y": [2]})
    assert (found.before, found.after) == ("no such column", "columns y (int64)")


def test_whole_numbers_in_tables_are_never_nearly_the_same(tmp_path: Path) -> None:
    assert compared(tmp_path, {"x": [10**12]}, {"x": [10**12 + 1]}).grade == Grade.DIFFERS


def test_what_is_no_table_is_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_text(f"no table {path.name}")
    found = compare_tables(*paths, 1e-9)
    assert (found.grade, "not looked into" in found.after) == (Grade.DIFFERS, True)
