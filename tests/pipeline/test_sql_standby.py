"""Readings from a standby that really follows a primary: how far it is, and what it sees."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.support.evaluations import in_thread
from tests.support.postgres import postgresql_binaries
from tests.support.sources import Reader, Reading, day
from tests.support.standby import standby_of
from tests.support.waiting import wait_for

COUNT = "SELECT count(*) AS n FROM followed"
RECEIVED = "SELECT pg_last_wal_receive_lsn() >= CAST(:lsn AS pg_lsn)"
SILENCE = timedelta(seconds=60)


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture(scope="module")
def primary(postgresql: str) -> Iterator[Engine]:
    engine = create_engine(f"{postgresql}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "DROP TABLE IF EXISTS followed",
            "CREATE TABLE followed (a int)",
            "DROP ROLE IF EXISTS follower",
            "CREATE ROLE follower LOGIN",
            "GRANT SELECT ON followed TO follower",
        ):
            connection.execute(text(statement))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def standby(postgresql: str, primary: Engine) -> Iterator[Engine]:
    binaries = postgresql_binaries()
    assert binaries is not None
    with standby_of(postgresql, binaries) as url:
        engine = create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")
        write(primary, engine)  # one that has replayed nothing yet does not say how far it is
        wait_for(lambda: ask(engine, "SELECT pg_last_xact_replay_timestamp()"), "a replay")
        yield engine
        engine.dispose()


def address(engine: Engine, user: str = "tests") -> str:
    return engine.url.set(username=user).render_as_string(hide_password=False)


def ask(engine: Engine, statement: str, **values: Any) -> Any:
    with engine.connect() as connection:
        result = connection.execute(text(statement), values)
        return result.scalar() if result.returns_rows else None


def write(primary: Engine, standby: Engine) -> datetime:
    """Commit a row; return when, as soon as the standby has received it."""
    ask(primary, "INSERT INTO followed VALUES (1)")
    written = datetime.now(UTC)
    lsn = str(ask(primary, "SELECT pg_current_wal_flush_lsn()"))
    wait_for(lambda: ask(standby, RECEIVED, lsn=lsn), "the standby to receive the row")
    return written


def seen(reading: Reading) -> int:
    found: int = reading.table["n"].to_pylist()[0]
    return found


def replayed(reading: Reading) -> datetime:
    return datetime.fromisoformat(reading.told["replayed_to"])


def reach(read: Reader, url: str, rows: int) -> Reading:
    """Read until that many rows are seen."""
    found: list[Reading] = []

    def look() -> bool:
        found.append(read(url, COUNT))
        return seen(found[-1]) == rows

    wait_for(look, "the standby to replay")
    return found[-1]


@pytest.fixture
def halted(standby: Engine) -> Iterator[Callable[[], None]]:
    """Let the standby receive, but not replay, until the test has ended or resumes it."""
    ask(standby, "SELECT pg_wal_replay_pause()")
    wait_for(
        lambda: ask(standby, "SELECT pg_get_wal_replay_pause_state()") == "paused", "the pause"
    )

    def resume() -> None:
        ask(standby, "SELECT pg_wal_replay_resume()")

    yield resume
    resume()


@pytest.mark.parametrize("user", ["tests", "follower"])
def test_an_idle_standby_has_what_its_primary_had_when_it_was_last_heard_of(
    read: Reader, primary: Engine, standby: Engine, user: str
) -> None:
    before = ask(primary, "SELECT count(*) FROM followed")
    write(primary, standby)
    reading = reach(read, address(standby, user), before + 1)
    as_of = datetime.fromisoformat(reading.told["as_of"])
    assert as_of - SILENCE <= replayed(reading) <= as_of
    last = ask(standby, "SELECT pg_last_xact_replay_timestamp()")
    assert replayed(reading) >= last
    assert reading.told["snapshot"]
    assert "which has its data up to" in reading.log


def test_a_standby_that_does_not_replay_stays_where_it_was(
    read: Reader, primary: Engine, standby: Engine, halted: Callable[[], None]
) -> None:
    before = seen(read(address(standby), COUNT))
    written = write(primary, standby)
    for user in ("tests", "follower"):
        late = read(address(standby, user), COUNT)
        assert seen(late) == before
        assert replayed(late) < written
    halted()
    assert replayed(reach(read, address(standby), before + 1)) > replayed(late)


def test_a_standby_that_lost_its_primary_does_not_claim_to_be_up_to_date(
    read: Reader, primary: Engine, standby: Engine
) -> None:
    before = ask(primary, "SELECT count(*) FROM followed")
    write(primary, standby)
    reach(read, address(standby), before + 1)
    conninfo = ask(standby, "SHOW primary_conninfo")
    try:
        ask(standby, "ALTER SYSTEM SET primary_conninfo = ''")
        ask(standby, "SELECT pg_reload_conf()")
        receivers = "SELECT count(*) FROM pg_stat_wal_receiver"
        wait_for(lambda: ask(standby, receivers) == 0, "the connection to end")
        ask(primary, "INSERT INTO followed VALUES (1)")
        missed = datetime.now(UTC)
        time.sleep(0.05)
        for user in ("tests", "follower"):
            late = read(address(standby, user), COUNT)
            assert seen(late) == before + 1
            assert replayed(late) < missed
    finally:
        quoted = str(conninfo).replace("'", "''")
        ask(standby, f"ALTER SYSTEM SET primary_conninfo = '{quoted}'")
        ask(standby, "SELECT pg_reload_conf()")
    reach(read, address(standby), before + 2)


def test_a_day_that_is_over_is_read_and_one_that_is_not_is_refused(
    read: Reader, standby: Engine
) -> None:
    asked = {"params": day("2013-01-31"), "covers": "day"}
    query = "SELECT CAST(:day AS date) AS day"
    assert read(address(standby, "follower"), query, **asked).told["rows"] == 1
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    refused = read(address(standby), query, **asked | {"params": day(tomorrow)})
    assert (refused.failure["kind"], refused.again) == ("source_behind", False)


def test_a_query_that_replay_cancels_passes(read: Reader, primary: Engine, standby: Engine) -> None:
    ask(primary, "CREATE TABLE dropped AS SELECT 1 AS a")
    wait_for(lambda: ask(standby, "SELECT to_regclass('dropped')"), "the table to be there")
    with in_thread(read, address(standby), "SELECT a, pg_sleep(20) FROM dropped") as answers:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_for(lambda: ask(standby, busy), "the query to begin")
        ask(primary, "DROP TABLE dropped")
    (reading,) = answers
    assert (reading.failure["kind"], reading.again) == ("source_unreachable", True)
    assert "conflict with recovery" in reading.failure["message"]
