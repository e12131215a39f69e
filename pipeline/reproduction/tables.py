"""Parquet tables by their values: two files can hold the same table and not the same bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.reproduction.answer import Grade
from pipeline.reproduction.closeness import Closeness

if TYPE_CHECKING:
    import pyarrow


def compare_tables(before: Path, after: Path, tolerance: float) -> Closeness:
    """Compare two Parquet files: columns, rows, and then each column's values in their order."""
    import pyarrow
    from pyarrow import parquet

    try:
        old, new = parquet.read_table(before), parquet.read_table(after)
    except (pyarrow.ArrowException, OSError) as error:
        return Closeness(Grade.DIFFERS, None, "", f"other bytes; not looked into: {error}"[:200])
    shapes = [_columns(table) for table in (old, new)]
    if shapes[0] != shapes[1]:
        before_only, after_only = _only_different(*shapes)
        return Closeness(Grade.DIFFERS, None, _told(before_only), _told(after_only))
    if old.num_rows != new.num_rows:
        return Closeness(Grade.DIFFERS, None, f"{old.num_rows} rows", f"{new.num_rows} rows")
    largest, near = 0.0, False
    for name in old.column_names:
        found = _compare_column(name, old[name], new[name])
        if found.grade == Grade.DIFFERS or (found.relative or 0.0) > tolerance:
            return Closeness(Grade.DIFFERS, found.relative, found.before, found.after)
        near = near or found.grade == Grade.WITHIN_TOLERANCE
        largest = max(largest, found.relative or 0.0)
    if near:
        return Closeness(Grade.WITHIN_TOLERANCE, largest)
    return Closeness(Grade.IDENTICAL, other_bytes=True)


def _columns(table: "pyarrow.Table") -> list[str]:
    return [f"{field.name} ({field.type})" for field in table.schema]


def _only_different(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    lost, added = ([one for one in a if one not in b] for a, b in ((old, new), (new, old)))
    return (lost, added) if lost or added else (old, new)


def _told(columns: list[str]) -> str:
    return f"columns {', '.join(columns[:8])}" if columns else "no such column"


def _compare_column(name: str, old: Any, new: Any) -> Closeness:
    import pyarrow

    if old.equals(new):
        return Closeness(Grade.IDENTICAL)
    if not pyarrow.types.is_floating(old.type):
        return _first_other(name, _pairs(old, new))
    return _compare_numbers(name, old, new)


def _compare_numbers(name: str, old: Any, new: Any) -> Closeness:
    """Compare floating-point columns; NaN and null are each equal to itself and near nothing."""
    import pyarrow.compute as pc

    old, new = old.cast("float64"), new.cast("float64")
    same = pc.fill_null(pc.equal(old, new), fill_value=False)
    for is_blank in (pc.is_null, _are_nan):
        blank_old, blank_new = is_blank(old), is_blank(new)
        if pc.any(pc.xor(blank_old, blank_new)).as_py():
            return _first_other(name, _pairs(old, new))
        same = pc.or_(same, pc.and_(blank_old, blank_new))
    apart = pc.abs(pc.subtract(old, new))
    scale = pc.max_element_wise(pc.abs(old), pc.abs(new))
    relative = pc.if_else(same, 0.0, pc.divide(apart, scale))
    largest = pc.max(relative).as_py() or 0.0
    if pc.any(pc.is_nan(relative)).as_py() or not largest < float("inf"):
        return _first_other(name, _pairs(old, new))
    if largest == 0.0:
        return Closeness(Grade.IDENTICAL)
    row = pc.index(relative, largest).as_py()
    was, now = old[row].as_py(), new[row].as_py()
    said = f"column {name}, row {row + 1}: "
    return Closeness(Grade.WITHIN_TOLERANCE, largest, f"{said}{was!r}", f"{said}{now!r}")


def _are_nan(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(pc.is_nan(column), fill_value=False)


def _pairs(old: Any, new: Any) -> Iterator[tuple[Any, Any]]:
    for was, now in zip(old, new, strict=True):
        yield was.as_py(), now.as_py()


def _first_other(name: str, pairs: Iterator[tuple[Any, Any]]) -> Closeness:
    for row, (was, now) in enumerate(pairs, start=1):
        if was != now and not (_is_nan(was) and _is_nan(now)):
            said = f"column {name}, row {row}: "
            return Closeness(Grade.DIFFERS, None, f"{said}{was!r}"[:200], f"{said}{now!r}"[:200])
    return Closeness(Grade.IDENTICAL)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value  # noqa: PLR0124
