"""Rows as they come into a Parquet file, never more of them in memory than a row group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.runner.messages import Failure
from pipeline.stages.sql.failures import ReadingError
from pipeline.stages.sql.postgres_types import arrow_type
from provenance.nearest import shown

if TYPE_CHECKING:
    from sqlalchemy import CursorResult

GROUP_ROWS = 200_000
GROUP_BYTES = 64 * 1024 * 1024
_FIRST_ROWS = 500
_MOST_ROWS = 20_000
_CHUNK_BYTES = 8 * 1024 * 1024
_MISFITS = (ValueError, TypeError, OverflowError)
"""What Arrow raises for values that make no column; its own errors are of these."""


def column_error(name: str, said: str) -> ReadingError:
    """Return the error of a column whose values make none."""
    hint = "CAST a column to one type in the query, and name each differently."
    return ReadingError(Failure("query", f"Column {name}: {said}", hint=hint))


@dataclass(frozen=True)
class Column:
    """A column of the result: its name, and its type where the database says one."""

    name: str
    database_type: str = ""
    type: Any = None
    """Its Arrow type; None: what the values say."""
    empty: Any = None
    """Its Arrow type where no row has a value, and ``type`` does not tell."""

    def array(self, cells: Sequence[Any]) -> Any:
        """Return *cells* as an Arrow array; raise ReadingError where they do not fit."""
        import pyarrow as pa

        try:
            return pa.array(cells, type=self.type)
        except _MISFITS as error:
            raise column_error(self.name, self._reason(cells, error)) from error

    def _reason(self, cells: Sequence[Any], error: Exception) -> str:
        import pyarrow as pa

        for cell in cells:
            try:
                pa.array([cell], type=self.type)
            except _MISFITS:
                kind = f"{self.database_type or type(cell).__name__} value"
                return f"the {kind} {shown(str(cell))} fits no {self.type or 'column of a table'}."
        return str(error)


def write_rows(result: "CursorResult[Any]", target: Path, before: Callable[[], None]) -> Any:
    """Write all rows to *target*; return the file's Arrow schema and the number of rows.

    *before* is called before each fetch. How many rows are fetched at once follows from the
    size of those before, and where a row group ends from the rows alone: the same rows give
    the same file.
    """
    columns = _columns(result)
    file = TableFile(columns, target)
    wanted = _FIRST_ROWS
    while True:
        before()
        rows = result.fetchmany(wanted)
        if not rows:
            break
        size = file.add(rows)
        wanted = max(1, min(_MOST_ROWS, wanted * 4, len(rows) * _CHUNK_BYTES // max(1, size)))
    return file.finish()


def _columns(result: "CursorResult[Any]") -> list[Column]:
    names = list(result.keys())
    if not names:
        raise ReadingError(Failure("query", "The query gives no columns.", hint="SELECT some."))
    if twice := [name for name in names if names.count(name) > 1]:
        raise column_error(twice[0], "the query gives two columns of this name.")
    if result.dialect.driver != "psycopg" or result.cursor is None:
        return [Column(name) for name in names]
    described = result.cursor.description or ()
    return [Column(name, *arrow_type(told)) for name, told in zip(names, described, strict=True)]


@dataclass
class TableFile:
    """A Parquet file that grows by row groups; its columns become wider where rows ask for it."""

    columns: list[Column]
    target: Path
    rows: int = 0
    _waiting: list[Any] = field(default_factory=list)
    _schema: Any = None
    _writer: Any = None

    def add(self, rows: Sequence[Sequence[Any]]) -> int:
        """Take *rows*; return how many bytes they are."""
        import pyarrow as pa

        cells = zip(*rows, strict=True)
        pairs = zip(self.columns, cells, strict=True)
        table = pa.table({column.name: column.array(values) for column, values in pairs})
        self._waiting.append(table)
        self.rows += len(rows)
        waiting = sum(one.nbytes for one in self._waiting)
        if waiting >= GROUP_BYTES or sum(one.num_rows for one in self._waiting) >= GROUP_ROWS:
            self._flush()
        return int(table.nbytes)

    def finish(self) -> Any:
        """Write what is left; return the schema and the number of rows."""
        import pyarrow as pa

        unknown = pa.null()
        self._waiting.append(
            pa.table({one.name: pa.array([], one.type or unknown) for one in self.columns})
        )
        self._flush()
        fields = [
            pa.field(one.name, one.empty) if one.empty and _untyped(found.type) else found
            for one, found in zip(self.columns, self._schema, strict=True)
        ]
        if fields != list(self._schema):
            self._widen(pa.schema(fields))
        self._writer.close()
        return self._schema, self.rows

    def _flush(self) -> None:
        schema = self._schema
        for table in self._waiting:
            schema = table.schema if schema is None else _wider(schema, table.schema)
        if self._writer is None:
            self._open(schema)
        elif schema != self._schema:
            self._widen(schema)
        self._write([_cast(table, schema) for table in self._waiting])
        self._waiting = []

    def _open(self, schema: Any) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._writer = pq.ParquetWriter(self.target, schema, compression="zstd")

    def _write(self, tables: list[Any]) -> None:
        import pyarrow as pa

        table = pa.concat_tables(tables)
        if table.num_rows:
            self._writer.write_table(table.combine_chunks(), row_group_size=table.num_rows)

    def _widen(self, schema: Any) -> None:
        """Write the file anew, with columns that hold what is there and what is to come."""
        import pyarrow.parquet as pq

        self._writer.close()
        narrow = self.target.with_suffix(".narrow")
        self.target.replace(narrow)
        self._open(schema)
        with pq.ParquetFile(narrow) as file:
            for number in range(file.num_row_groups):
                self._write([_cast(file.read_row_group(number), schema)])
        narrow.unlink()


def _untyped(found: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_list(found):
        return _untyped(found.value_type)
    return bool(pa.types.is_null(found))


def _wider(one: Any, other: Any) -> Any:
    """Return the schema that holds the values of both; raise ReadingError if there is none."""
    import pyarrow as pa

    fields = []
    for left, right in zip(one, other, strict=True):
        try:
            both = [pa.schema([left]), pa.schema([right])]
            fields += list(pa.unify_schemas(both, promote_options="permissive"))
        except _MISFITS as error:
            said = f"some rows have {left.type}, others {right.type}."
            raise column_error(left.name, said) from error
    return pa.schema(fields)


def _cast(table: Any, schema: Any) -> Any:
    import pyarrow as pa

    columns = []
    for wanted, column in zip(schema, table.columns, strict=True):
        try:
            columns.append(column.cast(wanted.type))
        except _MISFITS as error:
            raise column_error(wanted.name, str(error)) from error
    return pa.table(columns, schema=schema)
