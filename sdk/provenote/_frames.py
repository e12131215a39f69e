"""DataFrames and their files: Parquet with zstd out, Parquet and CSV in."""

import importlib
from pathlib import Path
from typing import Any

PARQUET = "application/vnd.apache.parquet"


class FrameError(Exception):
    """Raised when a file cannot be read as a DataFrame, or a DataFrame not be written."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def is_frame(value: object) -> bool:
    """Say whether *value* is a pandas DataFrame, without importing pandas."""
    return any(
        base.__name__ == "DataFrame" and base.__module__.partition(".")[0] == "pandas"
        for base in type(value).__mro__
    )


def read_frame(path: Path) -> Any:
    """Return the DataFrame in the Parquet or CSV file at *path*."""
    suffix = path.suffix.lower()
    if suffix not in {".parquet", ".csv"}:
        raise FrameError(
            f"{path.name} cannot be read as a DataFrame: only .parquet and .csv can.",
            "Annotate the argument as pathlib.Path and read the file yourself.",
        )
    try:
        import pandas as pd
    except ImportError as error:
        raise FrameError(
            f"pandas is missing from the project's environment ({error}).",
            "Add pandas and pyarrow to the requirements, or take a pathlib.Path.",
        ) from error
    return pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path)


def write_frame(frame: Any, path: Path) -> list[dict[str, str]]:
    """Write *frame* to *path* as Parquet and return its columns, each with name and type.

    Equal frames give equal bytes.
    """
    try:
        pa: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise FrameError(
            f"pyarrow is missing from the project's environment ({error}).",
            "Add pyarrow to the requirements: DataFrames are kept as Parquet.",
        ) from error
    try:
        table = pa.Table.from_pandas(frame, preserve_index=_index_means_something(frame.index))
        parquet.write_table(table, path, compression="zstd")
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise FrameError(
            f"The DataFrame cannot be written as Parquet: {_culprit(pa, frame) or error}",
            "Give every column one type and a name of its own.",
        ) from error
    return [{"name": field.name, "type": str(field.type)} for field in table.schema]


def _culprit(pa: Any, frame: Any) -> str:
    """Return what is wrong with which column; empty where none is wrong by itself."""
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        return f"there are several columns {twice[0]!r}."
    for name in frame.columns:
        column = frame[name]
        try:
            pa.Array.from_pandas(column)
        except (pa.ArrowException, ValueError, TypeError):
            kinds = sorted({type(value).__name__ for value in column.dropna().head(1000)})
            held = f" holding {' and '.join(kinds)}" if column.dtype == object and kinds else ""
            return f"column {name!r} has the type {column.dtype}{held}, which Parquet cannot keep."
    return ""


def _index_means_something(index: Any) -> bool:
    """Row numbers, also those that filtering left over, are not worth a column."""
    named = any(name is not None for name in index.names)
    return bool(named or index.nlevels > 1 or index.dtype.kind not in "iu")
