"""Queries that take too long, sources that do not answer, and names that are not there."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from pipeline.runner.client import Runner, RunnerStoppedError
from pipeline.runner.messages import SqlJob
from pipeline.workplace import Workplace
from tests.support.sources import Reader, day
from tests.support.waiting import wait_for

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {} FROM n"
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND state = 'active'"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture(scope="module")
def server(postgresql: str) -> Iterator[Engine]:
    engine = create_engine(f"{postgresql}/postgres")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS departures (carrier text, delay int)"))
    yield engine
    engine.dispose()


@pytest.fixture
def url(server: Engine) -> str:
    return server.url.render_as_string(hide_password=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flights.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE departures (carrier TEXT, delay INT)")
    connection.close()
    return path


def busy(server: Engine, name: str) -> bool:
    """Whether a query of the connections called *name* is being executed."""
    with server.connect() as connection:
        return bool(connection.execute(text(BUSY), {"name": name}).scalar())


@pytest.mark.parametrize("query", ["SELECT pg_sleep(60)", ENDLESS.format("x")])
def test_postgresql_itself_ends_a_query_that_takes_too_long(
    read: Reader, server: Engine, url: str, query: str
) -> None:
    started = time.monotonic()
    failure = read(f"{url}?application_name=endless", query, seconds=0.8).failure
    assert time.monotonic() - started < 5
    assert failure["kind"] == "timed_out"
    assert failure["message"] == "The query took longer than 0.8 s."
    assert not busy(server, "endless")


def test_a_query_ends_at_the_server_when_its_runner_is_stopped(
    server: Engine, url: str, fresh_runner: Runner, tmp_path: Path
) -> None:
    place = Workplace(tmp_path / "place", "")
    place.make()
    job = SqlJob(str(place.root), f"{url}?application_name=left", "SELECT pg_sleep(60)")
    with pytest.raises(RunnerStoppedError):
        fresh_runner.call(job, print, lambda: "cancelled" if busy(server, "left") else None)
    wait_for(lambda: not busy(server, "left"), "the query to end", 10)


@pytest.mark.parametrize("what", ["max(x)", "x"])
def test_sqlite_ends_a_query_that_takes_too_long(read: Reader, file: Path, what: str) -> None:
    failure = read(f"sqlite:///{file}", ENDLESS.format(what), seconds=0.5).failure
    assert failure["kind"] == "timed_out"
    assert failure["message"] == "The query took longer than 0.5 s."


def test_a_lock_is_waited_for_no_longer_than_the_query_may_take(
    read: Reader, server: Engine, url: str
) -> None:
    with server.begin() as connection:
        connection.execute(text("LOCK TABLE departures"))
        failure = read(url, "SELECT * FROM departures", seconds=0.5).failure
    assert failure["kind"] == "timed_out"


def test_a_file_that_is_locked_passes(read: Reader, file: Path) -> None:
    with sqlite3.connect(file, isolation_level=None) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        found = read(f"sqlite:///{file}?timeout=0.2", "SELECT * FROM departures")
    writer.close()
    assert (found.failure["kind"], found.again) == ("source_unreachable", True)


def test_a_server_that_is_not_there_passes(read: Reader) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = read(f"postgresql+psycopg://ada:canary@127.0.0.1:{port}/weather", "SELECT 1 AS a")
    assert (found.failure["kind"], found.again) == ("source_unreachable", True)
    assert "Source replica does not answer" in found.failure["message"]
    assert "refused" in found.failure["message"]
    assert "canary" not in str(found.result)


def test_a_connection_that_is_lost_passes(read: Reader, url: str) -> None:
    found = read(url, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert (found.failure["kind"], found.again) == ("source_unreachable", True)


@pytest.mark.parametrize(
    ("user", "database", "words"),
    [
        ("nobody_here", "postgres", 'role "nobody_here" does not exist'),
        ("tests", "nowhere_at_all", 'database "nowhere_at_all" does not exist'),
        ("eve", "postgres", 'password authentication failed for user "eve"'),
    ],
)
def test_an_account_that_is_refused_does_not_pass_by_itself(
    read: Reader, server: Engine, asks_eve: None, user: str, database: str, words: str
) -> None:
    url = server.url.set(username=user, password="canary-wrong", database=database)
    found = read(url.render_as_string(hide_password=False), "SELECT 1 AS a")
    assert (found.failure["kind"], found.again) == ("source", False)
    assert words in found.failure["message"]
    assert "source replica" in found.failure["hint"]
    assert "canary" not in str(found.result)


@pytest.fixture
def asks_eve(server: Engine) -> Iterator[None]:
    """Let the server, which trusts everybody else, ask the account eve for its password."""
    trusting = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]

    def allow(*lines: str) -> None:
        with server.begin() as connection:
            path = connection.execute(text("SHOW hba_file")).scalar()
            rows = ", ".join(f"('{line}')" for line in lines)
            connection.execute(text(f"COPY (VALUES {rows}) TO '{path}'"))
            connection.execute(text("SELECT pg_reload_conf()"))

    with server.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS eve"))
        connection.execute(text("CREATE ROLE eve LOGIN PASSWORD 'canary-right'"))
    allow("host all eve 127.0.0.1/32 scram-sha-256", *trusting)
    wait_for(lambda: _asked(server), "the server to ask for a password")
    yield
    allow(*trusting)
    wait_for(lambda: not _asked(server), "the server to trust again")


def _asked(server: Engine) -> bool:
    engine = create_engine(server.url.set(username="eve"))
    try:
        engine.connect().close()
    except OperationalError:
        return True
    finally:
        engine.dispose()
    return False


def test_a_driver_that_is_not_installed_is_told(read: Reader) -> None:
    found = read("mysql+pymysql://ada:canary@127.0.0.1/weather", "SELECT 1 AS a")
    assert (found.failure["kind"], found.again) == ("source", False)
    assert "no driver for mysql+pymysql" in found.failure["message"]
    assert "canary" not in str(found.result)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT * FROM departure", "Did you mean 'departures'?"),
        ("SELECT carier FROM departures", "Did you mean 'carrier'?"),
        ("SELECT d.carier FROM departures d", "Did you mean 'carrier'?"),
        ("SELECT zzzzzz FROM departures", "Its columns: carrier, delay."),
        ("SELECT * FROM zzzzzz", "Its tables: "),
    ],
)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_name_that_is_not_there_is_told_with_the_nearest(
    read: Reader, request: pytest.FixtureRequest, kind: str, query: str, hint: str
) -> None:
    path = request.getfixturevalue("file")
    url = f"sqlite:///{path}" if kind == "sqlite" else request.getfixturevalue("url")
    failure = read(url, query).failure
    assert failure["kind"] == "query"
    assert hint in failure["hint"]


def test_a_bind_without_a_parameter_is_told(read: Reader, file: Path) -> None:
    query = "SELECT * FROM departures WHERE delay > :least AND carrier = :day"
    failure = read(f"sqlite:///{file}", query, params=day("2013-01-31")).failure
    assert "binds :least" in failure["message"]
    assert "[params.least]" in failure["hint"]


def test_a_query_without_columns_is_told(read: Reader, url: str) -> None:
    assert "no columns" in read(url, "SELECT FROM departures").failure["message"]
