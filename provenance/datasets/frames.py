"""Tables in files: what is in one, and one form made from another.

pyarrow is imported here, inside the functions: never in the web server or the worker.
"""

import datetime
import decimal
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from provenance.datasets.forms import ANYTHING, CSV, JSON, JSON_GZIP, PARQUET, SUFFIXES
from provenance.errors import InvalidInputError

_MOST_COLUMNS = 10_000
"""The ledger and each page of a batch name every column."""
_AT_ONCE = 65_536
"""Rows that are converted at once, so that a large table does not have to fit into memory."""


class FrameError(InvalidInputError):
    """Raised when a file is not what its name says, or cannot take the form asked for."""

    code = "frame"


@dataclass(frozen=True)
class Described:
    """What is in a file; *rows* and *columns* are null where it is no table."""

    media_type: str
    rows: int | None = None
    columns: tuple[dict[str, str], ...] | None = None


def describe(path: Path) -> Described:
    """Look into the file at *path*: how many rows, which columns of which types.

    Parquet is told from its footer; of CSV, the types are those that pyarrow infers; any
    other file is taken as it is. Raises FrameError where the file is not what its suffix says.
    """
    media_type = SUFFIXES.get(path.suffix.lower(), ANYTHING)
    if media_type == PARQUET:
        return _parquet(path)
    if media_type == CSV:
        with _taught(path, "CSV"):
            table = _read_csv(path)
            return Described(CSV, table.num_rows, _columns(table.schema))
    if media_type == JSON:
        _check_json(path)
        return Described(JSON_GZIP)
    return Described(ANYTHING)


def csv_to_parquet(source: Path, target: Path) -> None:
    """Write the table in the CSV file *source* as Parquet with zstd; equal files give equal bytes.

    Types are inferred once, here, so that all readers agree on them. Raises FrameError.
    """
    import pyarrow.parquet as pq

    with _taught(source, "CSV"):
        table = _read_csv(source)
        _columns(table.schema)
        pq.write_table(table, target, compression="zstd")


def compress(source: Path, target: Path) -> None:
    """Write *source* compressed by gzip to *target*; equal files give equal bytes."""
    with (
        source.open("rb") as plain,
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed)


def convert(source: Path, media_type: str, wanted: str, target: BinaryIO) -> None:
    """Write the batch's file *source* of *media_type* to *target* in the form *wanted*.

    *wanted* is a media type of `forms.FORMATS`. Raises FrameError where that cannot be.
    """
    if media_type == wanted:
        with source.open("rb") as handle:
            shutil.copyfileobj(handle, target)
    elif media_type == JSON_GZIP and wanted == JSON:
        with gzip.open(source) as handle:
            shutil.copyfileobj(handle, target)
    elif media_type in (PARQUET, CSV):
        _convert_table(source, media_type, wanted, target)
    else:
        raise FrameError(
            f"The batch is kept as {media_type}, which is no table.",
            "Export it without --format.",
        )


def _parquet(path: Path) -> Described:
    import pyarrow.parquet as pq

    with _taught(path, "Parquet"):
        file = pq.ParquetFile(path)
        return Described(PARQUET, file.metadata.num_rows, _columns(file.schema_arrow))


def _read_csv(path: Path) -> Any:
    from pyarrow import csv

    return csv.read_csv(path)


def _columns(schema: Any) -> tuple[dict[str, str], ...]:
    names = list(schema.names)
    if len(names) > _MOST_COLUMNS:
        raise FrameError(
            f"The table has {len(names):,} columns; at most {_MOST_COLUMNS:,} are told.",
            "Put what is counted into rows; or keep the file under another suffix.",
        )
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise FrameError(
            f"Two columns are called {twice[0]!r}.", "Give every column a name of its own."
        )
    if not names:
        raise FrameError("The table has no columns.", "Is this the file that you meant?")
    return tuple({"name": field.name, "type": str(field.type)} for field in schema)


class _taught:  # noqa: N801 - it reads as a word of the with statement
    """Turns what pyarrow says of a broken file into an error that says which and what to do."""

    def __init__(self, path: Path, form: str) -> None:
        self._path, self._form = path, form

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import pyarrow as pa

        # pyarrow calls much that is broken in a file an OSError; those of the system have a number.
        broken = isinstance(error, OSError) and error.errno is None
        if broken or isinstance(error, pa.ArrowException | UnicodeDecodeError):
            raise FrameError(
                f"{self._path.name} cannot be read as {self._form}: {error}",
                "Mend the file; or, to keep its bytes as they are, give it another suffix.",
            ) from None


def _check_json(path: Path) -> None:
    try:
        json.loads(path.read_bytes(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FrameError(
            f"{path.name} is no JSON document: {error}.", "Lines of JSON are kept as any file is."
        ) from None


def _no_constant(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(
        f"it holds {word}, which JSON has no word for; null says that nothing is there"
    )


def _convert_table(source: Path, media_type: str, wanted: str, target: BinaryIO) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Parquet is read while it is written, so that a page may be broken up to the last.
    with _taught(source, format_name(media_type)):
        schema, batches = _batches(source, media_type)
        if wanted == CSV:
            _write_csv(schema, batches, target)
        elif wanted == JSON:
            _write_json(batches, target)
        else:
            pq.write_table(pa.Table.from_batches(batches, schema), target, compression="zstd")


def _batches(source: Path, media_type: str) -> tuple[Any, Iterator[Any]]:
    import pyarrow.parquet as pq

    if media_type == PARQUET:
        file = pq.ParquetFile(source)
        return file.schema_arrow, file.iter_batches(_AT_ONCE)
    table = _read_csv(source)
    return table.schema, iter(table.to_batches(_AT_ONCE))


def format_name(media_type: str) -> str:
    """Return what people call a form."""
    return {PARQUET: "Parquet", CSV: "CSV"}.get(media_type, media_type)


def _write_csv(schema: Any, batches: Iterator[Any], target: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import csv

    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise FrameError(
                f"Column {field.name!r} is of type {field.type}, which CSV cannot hold.",
                "Export as json or parquet.",
            )
    plain = pa.schema([_plain(field) for field in schema])
    with csv.CSVWriter(target, plain) as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_batches([batch]).cast(plain))


def _plain(field: Any) -> Any:
    """Return *field* with a type that the CSV writer knows: categories as their values."""
    import pyarrow as pa

    plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return pa.field(field.name, plain)


def _write_json(batches: Iterator[Any], target: BinaryIO) -> None:
    """Write the rows as one JSON array of objects, a line a row; NaN and infinities as null."""
    comma = b"[\n"
    for batch in batches:
        for row in batch.to_pylist():
            text = json.dumps(_finite(row), default=_text, allow_nan=False, ensure_ascii=False)
            target.write(comma + text.encode())
            comma = b",\n"
    target.write(b"[]\n" if comma == b"[\n" else b"\n]\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _text(value: object) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)
    raise FrameError(
        f"A value of type {type(value).__name__} has no form in JSON.", "Export as parquet."
    )
