"""What becomes of a database's types: each comes out typed, or with its column's name."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text

from pipeline.stages.sql import table as sql_table
from tests.support.sources import Reader


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture(scope="module")
def server(postgresql: str) -> Iterator[Engine]:
    engine = create_engine(f"{postgresql}/postgres")
    yield engine
    engine.dispose()


def lite(path: Path, *rows: Any) -> str:
    """Return the address of a file whose table ``t`` has the one column ``a``."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [(row,) for row in rows])
    connection.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("sql", "kind", "value"),
    [
        ("true", "bool", True),
        ("7::smallint", "int64", 7),
        ("9223372036854775807", "int64", 2**63 - 1),
        ("0.5::real", "double", 0.5),
        ("1e300::double precision", "double", 1e300),
        ("'-Infinity'::float8", "double", float("-inf")),
        ("1.50::numeric(10, 2)", "decimal128(10, 2)", Decimal("1.50")),
        ("12345678901234567890.125", "decimal128(23, 3)", Decimal("12345678901234567890.125")),
        ("1::numeric(60, 20)", "decimal256(60, 20)", Decimal(1)),
        ("'é \"x\"'::varchar(9)", "string", 'é "x"'),
        ("'2013-01-31'::date", "date32[day]", date(2013, 1, 31)),
        ("'12:30:00.5'::time", "time64[us]", time(12, 30, 0, 500_000)),
        ("'2013-01-31 10:00'::timestamp", "timestamp[us]", datetime(2013, 1, 31, 10)),  # noqa: DTZ001
        (
            "'2013-01-31 10:00-05'::timestamptz",
            "timestamp[us, tz=UTC]",
            datetime(2013, 1, 31, 15, tzinfo=UTC),
        ),
        ("'-3 days 00:00:01.5'::interval", "duration[us]", timedelta(days=-3, seconds=1.5)),
        ("'\\x00ff'::bytea", "binary", b"\x00\xff"),
        (
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid",
            "string",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        ("""'{"b": 1.10, "a": [null]}'::jsonb""", "string", '{"a": [null], "b": 1.10}'),
        ("""'{"b":  9007199254740993}'::json""", "string", '{"b":  9007199254740993}'),
        ("'10.0.0.0/8'::cidr", "string", "10.0.0.0/8"),
        ("int4range(1, 5)", "string", "[1,5)"),
        ("ARRAY[1, NULL, 3]", "list<element: int64>", [1, None, 3]),
        ("ARRAY['2013-01-31'::date]", "list<element: date32[day]>", [date(2013, 1, 31)]),
        ("ARRAY[1.5, 2]", "list<element: decimal128(2, 1)>", [Decimal("1.5"), Decimal("2.0")]),
        ("ARRAY['{}'::jsonb]", "list<element: string>", ["{}"]),
        ("ROW(1, 'x')", "string", "(1,x)"),
    ],
)
def test_a_type_of_postgresql_is_kept(
    read: Reader, server: Engine, sql: str, kind: str, value: Any
) -> None:
    url = server.url.render_as_string(hide_password=False)
    found = read(url, f"SELECT {sql} AS a")
    assert found.types == {"a": kind}
    assert found.table.to_pydict() == {"a": [value]}
    assert found.told["columns"] == [{"name": "a", "type": kind.replace("element", "item")}]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("'infinity'::date", "the date value 'infinity' fits no date32"),
        ("'0044-03-15 BC'::timestamp", "BC"),
        ("'24:00'::time", "24:00"),
        ("'1 year 3 days'::interval", "1 year 3 days"),
        ("'NaN'::numeric", "NaN"),
        ("'NaN'::numeric(5, 2)", "NaN"),
        ("10::numeric ^ 90", "the numeric value"),
        ("ARRAY[[1, 2], [3, 4]]", "[1, 2]"),
    ],
)
def test_a_value_that_no_column_can_hold_is_told_with_its_column(
    read: Reader, server: Engine, sql: str, words: str
) -> None:
    url = server.url.render_as_string(hide_password=False)
    query = f"SELECT 1 AS fine, a AS bad FROM (SELECT NULL UNION ALL SELECT {sql}) AS t (a)"
    failure = read(url, query).failure
    assert failure["kind"] == "query"
    assert failure["message"].startswith("Column bad: ")
    assert words in failure["message"]
    assert "CAST" in failure["hint"]


@pytest.mark.parametrize("rows", ["WHERE false", ""])
def test_columns_without_any_value_have_the_type_that_the_server_says(
    read: Reader, server: Engine, rows: str
) -> None:
    columns = (
        "NULL::date AS d, NULL::numeric(8, 3) AS n, NULL::numeric AS any, NULL::jsonb AS j,"
        " NULL::int[] AS many, NULL::numeric[] AS anys, NULL AS nothing"
    )
    url = server.url.render_as_string(hide_password=False)
    found = read(url, f"SELECT {columns} {rows}")
    assert found.types == {
        "d": "date32[day]",
        "n": "decimal128(8, 3)",
        "any": "decimal128(38, 19)",
        "j": "string",
        "many": "list<element: int64>",
        "anys": "list<element: decimal128(38, 19)>",
        "nothing": "string",
    }
    assert found.told["rows"] == found.table.num_rows == (0 if rows else 1)


def test_instants_and_days_are_those_of_the_sources_zone_whatever_the_server_is_set_to(
    read: Reader, server: Engine
) -> None:
    url = server.url.update_query_dict({"options": "-c timezone=Asia/Tokyo"})
    query = "SELECT '2013-01-31 23:00-05'::timestamptz::date AS day, now() AS seen"
    spelled = url.render_as_string(hide_password=False)
    here = read(spelled, query, timezone="America/New_York")
    assert here.table["day"].to_pylist() == [date(2013, 1, 31)]
    assert here.types["seen"] == "timestamp[us, tz=UTC]"
    assert read(spelled, query).table["day"].to_pylist() == [date(2013, 2, 1)]


VALUES = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "double precision": st.floats(allow_nan=False),
    "numeric(20, 6)": st.decimals(-(10**13), 10**13, places=6),
    "numeric": st.decimals(-(10**12), 10**12, places=3) | st.integers(-99, 99).map(Decimal),
    "text": st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
    "bytea": st.binary(max_size=20),
    "date": st.dates(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(
        datetime(2, 1, 1),  # noqa: DTZ001
        datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    "interval": st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
    "boolean": st.booleans(),
    "bigint[]": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
}
ROWS = st.lists(st.tuples(*(st.none() | one for one in VALUES.values())), max_size=8)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS)
def test_what_was_written_to_the_server_is_what_is_read(
    read: Reader, server: Engine, rows: list[tuple[Any, ...]]
) -> None:
    names = [f"c{number}" for number in range(len(VALUES))]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, VALUES, strict=True))
    with server.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS written"))
        connection.execute(text(f"CREATE TABLE written (place int, {columns})"))
        for place, row in enumerate(rows):
            marks = ", ".join(f":{name}" for name in names)
            values = dict(zip(names, row, strict=True))
            connection.execute(text(f"INSERT INTO written VALUES ({place}, {marks})"), values)
    query = f"SELECT {', '.join(names)} FROM written ORDER BY place"
    found = read(server.url.render_as_string(hide_password=False), query).table
    assert [tuple(row.values()) for row in found.to_pylist()] == rows


CELLS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(CELLS, max_size=12), st.integers(1, 4))
def test_an_untyped_column_is_the_same_however_few_rows_come_at_once(
    read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[Any], few: int
) -> None:
    url = lite(tmp_path / f"{read.made}.sqlite", *rows)
    query = "SELECT a FROM t ORDER BY rowid"
    at_once = read(url, query).result
    with monkeypatch.context() as patch:
        for name in ("_FIRST_ROWS", "_MOST_ROWS", "GROUP_ROWS"):
            patch.setattr(sql_table, name, few)
        by_and_by = read(url, query).result
    if at_once["failure"] or by_and_by["failure"]:
        for result in (at_once, by_and_by):
            assert result["failure"]["message"].startswith("Column a: ")
        return
    tables = [pq.read_table(one["outputs"][0]["path"]) for one in (at_once, by_and_by)]
    assert tables[0].equals(tables[1])
    assert tables[0]["a"].to_pylist() == rows


def test_the_same_rows_give_the_same_bytes(read: Reader, tmp_path: Path) -> None:
    url = lite(tmp_path / "t.sqlite", *([None] * 5_000), *range(60_000), 0.5)
    first, second = (read(url, "SELECT a, 'x' || a AS b FROM t") for _ in range(2))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.types == {"a": "double", "b": "string"}


def test_a_column_that_is_text_in_some_rows_and_numbers_in_others_is_told(
    read: Reader, tmp_path: Path
) -> None:
    rows = [*range(30_000), "x"]
    failure = read(lite(tmp_path / "t.sqlite", *rows), "SELECT a FROM t").failure
    assert failure["message"].startswith("Column a: ")


def test_an_empty_answer_of_sqlite_is_a_table_with_its_columns(
    read: Reader, tmp_path: Path
) -> None:
    found = read(lite(tmp_path / "t.sqlite"), "SELECT a, 1 AS b FROM t")
    assert found.table.to_pydict() == {"a": [], "b": []}
    assert found.told["rows"] == 0


def test_rows_come_out_in_groups_of_bounded_size(
    read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("GROUP_BYTES", 2**20), ("_CHUNK_BYTES", 2**19), ("_FIRST_ROWS", 10)):
        monkeypatch.setattr(sql_table, name, size)
    found = read(lite(tmp_path / "t.sqlite", *(["x" * 10_000] * 1000)), "SELECT a FROM t")
    file = pq.ParquetFile(found.path)
    assert file.num_row_groups >= 5
    assert found.table.num_rows == 1000


def test_text_that_is_no_utf8_is_refused_also_where_the_database_has_no_encoding(
    read: Reader, server: Engine
) -> None:
    plain = server.execution_options(isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        made = "CREATE DATABASE bare ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        connection.execute(text(made))
    url = server.url.set(database="bare").render_as_string(hide_password=False)
    assert read(url, "SELECT 'gr\u00fcn' AS a").table["a"].to_pylist() == ["grün"]
    failure = read(url, "SELECT E'gr\\xfcn' AS a").failure
    assert failure["kind"] == "query"
    assert 'invalid byte sequence for encoding "UTF8": 0xfc' in failure["message"]
