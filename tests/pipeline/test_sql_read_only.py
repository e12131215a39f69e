"""Nothing is written to a source, whatever a query tries: on PostgreSQL and on SQLite."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from tests.support.sources import Reader

SETUP = """
DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1 AS a;
CREATE OR REPLACE FUNCTION write_kept() RETURNS int LANGUAGE sql
  AS 'INSERT INTO kept VALUES (2); SELECT 1';
CREATE OR REPLACE FUNCTION allow_and_write() RETURNS int LANGUAGE plpgsql AS
  'BEGIN SET LOCAL transaction_read_only = off; INSERT INTO kept VALUES (3); RETURN 1; END';
CREATE OR REPLACE PROCEDURE commit_and_write() LANGUAGE plpgsql AS
  'BEGIN COMMIT; INSERT INTO kept VALUES (4); END';
DROP SEQUENCE IF EXISTS numbers; CREATE SEQUENCE numbers;
"""


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture(scope="module")
def server(postgresql: str) -> Iterator[Engine]:
    engine = create_engine(f"{postgresql}/postgres")
    with engine.begin() as connection:
        connection.exec_driver_sql(SETUP)
    yield engine
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kept.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE kept (a)")
        connection.execute("INSERT INTO kept VALUES (1)")
    connection.close()
    return path


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO kept VALUES (2)",
        "INSERT INTO kept VALUES (2) RETURNING a",
        "UPDATE kept SET a = 2",
        "DELETE FROM kept",
        "TRUNCATE kept",
        "DROP TABLE kept",
        "CREATE TABLE other (a int)",
        "CREATE TEMP TABLE other (a int)",
        "SELECT a INTO other FROM kept",
        "WITH more AS (INSERT INTO kept VALUES (2) RETURNING a) SELECT a FROM more",
        "SELECT write_kept()",
        "SELECT allow_and_write()",
        "CALL commit_and_write()",
        "DO $$ BEGIN INSERT INTO kept VALUES (2); END $$",
        "SELECT nextval('numbers')",
        "SELECT set_config('transaction_read_only', 'off', true), write_kept()",
        "SELECT a FROM kept FOR UPDATE",
        "SELECT 1; COMMIT; INSERT INTO kept VALUES (2)",
        "SELECT 1 AS a; ROLLBACK; SET default_transaction_read_only = off; DELETE FROM kept",
        "COMMIT",
        "SET TRANSACTION READ WRITE",
        "COPY kept TO PROGRAM 'touch /tmp/never'",
        "COPY (SELECT 1) TO '/tmp/never'",
        "LISTEN x",
        "VACUUM kept",
    ],
)
def test_a_query_cannot_write_to_postgresql(read: Reader, server: Engine, query: str) -> None:
    failure = read(server.url.render_as_string(hide_password=False), query).failure
    assert failure["kind"] == "query"
    with server.connect() as connection:
        assert connection.execute(text("SELECT a FROM kept")).scalars().all() == [1]
        made = "SELECT count(*) FROM pg_class WHERE relname = 'other'"
        assert connection.execute(text(made)).scalar() == 0
    assert not Path("/tmp/never").exists()


def test_what_is_left_of_a_session_cannot_write_either(read: Reader, server: Engine) -> None:
    url = server.url.update_query_dict({"options": "-c search_path=public"})
    query = (
        "SELECT current_setting('default_transaction_read_only') AS by_default,"
        " current_setting('transaction_read_only') AS now,"
        " current_setting('transaction_isolation') AS level,"
        " current_setting('search_path') AS path"
    )
    found = read(url.render_as_string(hide_password=False), query).table.to_pylist()
    expected = {"by_default": "on", "now": "on", "level": "repeatable read", "path": "public"}
    assert found == [expected]


def test_what_a_server_lets_through_is_rolled_back(read: Reader, server: Engine) -> None:
    read(server.url.render_as_string(hide_password=False), "SELECT lo_creat(-1) AS made")
    with server.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM pg_largeobject_metadata")).scalar()
    assert left == 0


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO kept VALUES (2)",
        "INSERT INTO kept VALUES (2) RETURNING a",
        "WITH two AS (SELECT 2) INSERT INTO kept SELECT * FROM two RETURNING a",
        "UPDATE kept SET a = 2",
        "DELETE FROM kept",
        "DROP TABLE kept",
        "CREATE TABLE other (a)",
        "CREATE TEMP TABLE other (a)",
        "ATTACH DATABASE '{folder}/other.sqlite' AS other",
        "VACUUM INTO '{folder}/other.sqlite'",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "SELECT * FROM pragma_journal_mode('DELETE')",
        "SELECT load_extension('/tmp/never')",
        "SELECT 1; DELETE FROM kept",
        "REINDEX kept",
        "ANALYZE",
    ],
)
def test_a_query_cannot_write_to_sqlite(read: Reader, file: Path, query: str) -> None:
    before = file.read_bytes()
    failure = read(f"sqlite:///{file}", query.format(folder=file.parent)).failure
    assert failure["kind"] == "query"
    assert file.read_bytes() == before
    assert not (file.parent / "other.sqlite").exists()


def test_a_file_that_is_being_written_to_is_read_as_it_was_committed(
    read: Reader, file: Path
) -> None:
    with sqlite3.connect(file) as writer:
        writer.execute("INSERT INTO kept VALUES (2)")
        assert read(f"sqlite:///{file}", "SELECT a FROM kept").table["a"].to_pylist() == [1]
    writer.close()
    assert read(f"sqlite:///{file}", "SELECT a FROM kept").table["a"].to_pylist() == [1, 2]


def test_a_file_is_found_whatever_its_name(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "odd name ?&#é%41.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
    connection.close()
    url = URL.create("sqlite", database=str(path)).render_as_string()
    assert read(url, "SELECT a FROM kept").table["a"].to_pylist() == [1]
