"""A source that is not far enough is refused, and a run waits for it."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text, update

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from pipeline.stages.sql.freshness import Period
from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status
from provenance.ledger.tables import Run
from tests.pipeline.weather import single
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook
from tests.support.sources import Reader, day

QUERY = "SELECT station FROM weather WHERE day = :day"
NEW_YORK = "America/New_York"
MANIFEST = """
[sources.replica]
url_env = "WEATHER_URL"
timezone = "America/New_York"
freshness = "SELECT max(loaded) FROM loads"
[params.day]
type = "date"
default = "2013-01-31"
[stages.rows]
sql = "queries/rows.sql"
source = "replica"
covers = "day"
"""


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weather.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE weather (day DATE, station TEXT)")
        connection.execute("INSERT INTO weather VALUES ('2013-01-31', 'north')")
        connection.execute("CREATE TABLE loads (loaded TEXT)")
    connection.close()
    return path


@pytest.fixture(scope="module")
def server(postgresql: str) -> Iterator[Engine]:
    engine = create_engine(f"{postgresql}/postgres")
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE IF EXISTS weather",
            "CREATE TABLE weather (day date, station text)",
            "INSERT INTO weather VALUES ('2013-01-31', 'north')",
        ):
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def aged(path: Path, *instant: int) -> None:
    stamp = datetime(*instant, tzinfo=UTC).timestamp()
    os.utime(path, (stamp, stamp))


@pytest.mark.parametrize(
    ("fresh", "kind", "refused"),
    [
        ("2013-01-30", "date", True),
        ("2013-01-31", "date", False),
        ("2013-01-31 23:59:59", "timestamp", True),
        ("2013-02-01 00:00:00", "timestamp", False),
        ("2013-02-01T04:59:59+00:00", "timestamptz", True),
        ("2013-02-01T05:00:00+00:00", "timestamptz", False),
        ("2013-01-31T23:59:59-05:00", "timestamptz", True),
    ],
)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_sources_own_word_on_its_freshness_decides(
    read: Reader,
    request: pytest.FixtureRequest,
    database: str,
    fresh: str,
    kind: str,
    refused: bool,
) -> None:
    if database == "sqlite":
        url, freshness = f"sqlite:///{request.getfixturevalue('file')}", f"SELECT '{fresh}'"
    else:
        url = request.getfixturevalue("server").url.render_as_string(hide_password=False)
        freshness = f"SELECT '{fresh}'::{kind}"
    asked = {"covers": "day", "timezone": NEW_YORK, "freshness": freshness}
    found = read(url, QUERY, params=day("2013-01-31"), **asked)
    if not refused:
        assert found.table["station"].to_pylist() == ["north"]
        assert datetime.fromisoformat(found.told["replayed_to"]) >= datetime(
            2013, 2, 1, 5, tzinfo=UTC
        )
        return
    assert (found.failure["kind"], found.again) == ("source_behind", True)
    message = found.failure["message"]
    assert (
        "covers day = 2013-01-31, which ends at 2013-02-01 00:00:00 (America/New_York)" in message
    )
    assert "source replica has its data up to 2013-01-31" in message
    assert "try then" in found.failure["hint"]


def test_without_such_a_word_a_file_is_as_fresh_as_its_last_change(
    read: Reader, file: Path
) -> None:
    asked = {"params": day("2013-01-31"), "covers": "day"}
    aged(file, 2013, 1, 31, 22)
    behind = read(f"sqlite:///{file}", QUERY, **asked)
    assert behind.failure["kind"] == "source_behind"
    assert "up to 2013-01-31 22:00:00 (UTC)" in behind.failure["message"]
    # It is two hours short of the day's end, and then as late as it is now.
    assert read(f"sqlite:///{file}", QUERY, params=day("2013-01-31")).told["rows"] == 1
    aged(file, 2013, 2, 1)
    found = read(f"sqlite:///{file}", QUERY, **asked)
    assert found.told["replayed_to"] == "2013-02-01T00:00:00+00:00"
    aged(file, 2013, 1, 31)
    wal = file.with_name(f"{file.name}-wal")
    wal.write_bytes(b"")
    assert read(f"sqlite:///{file}", QUERY, **asked).told["rows"] == 1


def test_a_day_that_is_not_over_anywhere_near_is_refused_for_good(read: Reader, file: Path) -> None:
    asked = {"covers": "day", "freshness": "SELECT '9999-12-31'"}
    now = datetime.now(UTC)
    later = (now + timedelta(days=2)).date().isoformat()
    found = read(f"sqlite:///{file}", QUERY, params=day(later), covers="day")
    assert (found.failure["kind"], found.again) == ("source_behind", False)
    # A source that says that it has a day in advance is believed.
    assert read(f"sqlite:///{file}", QUERY, params=day(later), **asked).told["rows"] == 0
    last = read(f"sqlite:///{file}", QUERY, params=day("9999-12-31"), covers="day")
    assert "the end of time" in last.failure["message"]
    nothing = read(f"sqlite:///{file}", QUERY, params=day(None), covers="day")
    assert nothing.told["rows"] == 0


@pytest.mark.parametrize(
    ("freshness", "words"),
    [
        ("SELECT 'yesterday evening'", "gives 'yesterday evening'"),
        ("SELECT 1359590400", "gives 1359590400"),
        ("SELECT 1, 2", "gives 2 columns"),
        ("SELECT loaded FROM nowhere", "no such table: nowhere"),
        ("DELETE FROM loads RETURNING loaded", "not authorized"),
    ],
)
def test_a_query_for_freshness_that_gives_no_instant_is_told(
    read: Reader, file: Path, freshness: str, words: str
) -> None:
    asked = {"params": day("2013-01-31"), "covers": "day", "freshness": freshness}
    found = read(f"sqlite:///{file}", QUERY, **asked)
    assert (found.failure["kind"], found.again) == ("freshness", False)
    assert words in found.failure["message"]
    assert "SELECT max(" in found.failure["hint"]


@given(st.dates(), st.sampled_from(["UTC", NEW_YORK, "Asia/Kolkata", "Pacific/Apia"]))
def test_a_day_ends_at_midnight_where_the_source_is(when: date, zone: str) -> None:
    period = Period("day", when, ZoneInfo(zone))
    if when >= date(9999, 12, 30):
        assert period.end.year == 9999
        return
    before = (period.end - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    if before.date() != when:
        # A day that was left out where the date line was crossed.
        assert (zone, when) == ("Pacific/Apia", date(2011, 12, 30))
    assert period.end.astimezone(ZoneInfo(zone)).date() > when


def test_what_is_read_says_when_and_how_much(read: Reader, file: Path) -> None:
    before = datetime.now(UTC)
    found = read(f"sqlite:///{file}", QUERY, params=day("2013-01-31"))
    told = found.told
    assert before <= datetime.fromisoformat(told["as_of"]) <= datetime.now(UTC)
    assert (told["rows"], told["source"], told["text"]) == (1, "replica", QUERY)
    assert told["seconds"] >= 0
    assert told["columns"] == [{"name": "station", "type": "string"}]
    assert found.log.startswith("1 rows from replica in ")
    assert f"as of {told['as_of']}" in found.log


def test_the_snapshot_of_a_server_is_by_its_own_clock(read: Reader, server: Engine) -> None:
    found = read(
        server.url.render_as_string(hide_password=False),
        "SELECT txid_current_snapshot()::text AS id, statement_timestamp() AS later",
    )
    ((row),) = found.table.to_pylist()
    assert found.told["snapshot"] == row["id"]
    assert datetime.fromisoformat(found.told["as_of"]) <= row["later"]
    assert found.told["replayed_to"] == found.told["as_of"]


def load(file: Path, loaded: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO loads VALUES (?)", (loaded,))
    connection.close()


def test_a_run_waits_until_its_source_is_far_enough(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: Callable[..., Repository],
    file: Path,
) -> None:
    bench = Bench(installation(sources={"WEATHER_URL": f"sqlite:///{file}"}), runner, hosts)
    template = notebook("rows = None", "print(open(rows, 'rb').read(4))")
    files = single(template, MANIFEST, 'inputs = { rows = "rows" }')
    repository = git_project(files | {"queries/rows.sql": QUERY})
    load(file, "2013-01-30")
    run_id = bench.ask(repository, "daily")
    waiting = bench.execute(run_id)
    assert (waiting.row.status, waiting.verdict) == (Status.QUEUED, None)
    assert waiting.error["kind"] == "source_behind"
    assert waiting.row.run_after is not None
    assert waiting.row.run_after > utc_now()
    load(file, "2013-01-31")
    with bench.installation.ledger.writing() as session:
        session.execute(update(Run).where(Run.id == run_id).values(run_after=utc_now()))
    done = bench.execute(run_id)
    assert done.verdict == "passed"
    assert "1 rows from replica" in done.log
    assert "which has its data up to 2013-02-01T05:00:00+00:00" in done.log
    without = MANIFEST.replace('covers = "day"\n', "")
    repository.commit(single(template, without, 'inputs = { rows = "rows" }'))
    assert bench(repository).run.statuses["rows"] == "executed"
