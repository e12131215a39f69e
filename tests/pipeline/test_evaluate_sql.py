"""SQL stages: one query, read-only, with bound parameters, into a Parquet file."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text, update

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.ledger.states import Status
from provenance.ledger.tables import Run
from tests.pipeline.weather import single
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
MANIFEST = """
[sources.replica]
url_env = "WEATHER_URL"
[params.day]
type = "date"
default = "2013-01-31"
[params.station]
default = "north"
[stages.rows]
sql = "queries/rows.sql"
source = "replica"
"""


def project(query: str, stage: str = "") -> dict[str, str]:
    template = notebook("rows = None", "print(open(rows, 'rb').read(4))")
    files = single(template, MANIFEST + stage, 'inputs = { rows = "rows" }')
    return files | {"queries/rows.sql": query}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "weather.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE weather (day DATE, station TEXT, rain REAL)")
    rows = [
        ("2013-01-31", "north", 1.5),
        ("2013-01-31", "south'; --", None),
        ("2013-02-28", "x", 2),
    ]
    connection.executemany("INSERT INTO weather VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def bench(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    database: Path,
) -> Bench:
    return Bench(installation(sources={"WEATHER_URL": f"sqlite:///{database}"}), runner, hosts)


def table(bench: Bench, run: Told) -> dict[str, list[Any]]:
    assert run.verdict == "passed", run.row.error
    found = bench.installation.store.read(run.row.inputs[0].sha256)
    columns: dict[str, list[Any]] = pq.read_table(pa.BufferReader(found)).to_pydict()
    return columns


def test_a_query_gets_its_parameters_bound_and_leaves_a_table(
    bench: Bench, git_project: MakeRepository
) -> None:
    query = (
        "SELECT station, rain, 'a:b' AS t FROM weather\nWHERE day = :day -- at :noon\nORDER BY 1"
    )
    repository = git_project(project(query))
    run = bench(repository).run
    expected = {"station": ["north", "south'; --"], "rain": [1.5, None], "t": ["a:b", "a:b"]}
    assert table(bench, run) == expected
    assert "PAR1" in run.printed
    record = json.loads(bench.installation.store.read(str(run.jobs["rows"].record)))
    (told,) = record["extra"]["queries"]
    assert (told["text"], told["rows"]) == (query, 2)
    other = bench.execute(bench.ask(repository, "daily", {"day": "2013-02-28"}))
    assert table(bench, other)["station"] == ["x"]
    assert other.jobs["rows"].reason == "params"
    repository.commit({"queries/rows.sql": query.replace("t FROM", "u FROM")})
    third = bench(repository).run
    assert third.jobs["rows"].sentence == "code: query text changed"


def test_the_page_tells_what_was_read_though_the_query_is_reused(
    bench: Bench, git_project: MakeRepository
) -> None:
    repository = git_project(project("SELECT station FROM weather"))
    bench(repository)
    repository.commit({"reports/daily.ipynb": notebook("rows = None", "print(2)")})
    run = bench(repository).run
    assert run.jobs["rows"].status == "reused"
    page = bench.installation.store.read(str(run.row.html)).decode()
    told = " ".join(page.split("Read from sources")[1].split("</section>")[0].split())
    assert "3 rows from replica" in told
    assert "it had its data up to" in told or "it had all its data" in told


def test_text_in_a_parameter_is_never_code(bench: Bench, git_project: MakeRepository) -> None:
    query = "SELECT rain, station FROM weather WHERE station = :station"
    repository = git_project(project(query))
    given = {"station": "south'; --"}
    run = bench.execute(bench.ask(repository, "daily", given))
    assert table(bench, run)["station"] == ["south'; --"]
    none = bench.execute(bench.ask(repository, "daily", {"station": "x' OR '1'='1"}))
    assert table(bench, none)["station"] == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT nothing FROM weather", "nothing"),
        ("SELEC 1", "syntax"),
        ("SELECT 1 AS a UNION ALL SELECT 'x'", "Column a: "),
    ],
)
def test_a_query_that_fails_is_told_in_the_databases_words(
    bench: Bench, git_project: MakeRepository, query: str, words: str
) -> None:
    run = bench(git_project(project(query))).run
    assert (run.verdict, run.error["stage"], run.error["kind"]) == ("error", "rows", "query")
    assert words in run.error["message"]
    assert run.error["hint"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM weather",
        "INSERT INTO weather VALUES ('2014-01-01', 'y', 1)",
        "DROP TABLE weather",
        "UPDATE weather SET rain = 0 RETURNING station",
        "PRAGMA query_only = OFF",
        "ATTACH DATABASE '/tmp/other.sqlite' AS other",
    ],
)
def test_a_query_cannot_write(
    bench: Bench, git_project: MakeRepository, database: Path, query: str
) -> None:
    before = database.read_bytes()
    done = bench(git_project(project(query)))
    assert done.verdict == "error"
    assert database.read_bytes() == before


def test_a_source_without_an_address_says_which_variable_to_set(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    run = evaluate(git_project(project("SELECT 1 AS a"))).run
    assert (run.verdict, run.error["kind"]) == ("error", "source_not_set")
    assert "WEATHER_URL" in run.error["message"]
    assert "WEATHER_URL=" in run.error["hint"]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all.sqlite",
        "mysql+nodriver://ada:canary-secret@127.0.0.1:1/weather",
        "canary-secret is no address",
    ],
)
def test_a_source_that_cannot_be_read_is_told_without_its_password(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: MakeRepository,
    url: str,
) -> None:
    bench = Bench(installation(sources={"WEATHER_URL": url}), runner, hosts)
    run = bench(git_project(project("SELECT 1 AS a"))).run
    assert run.verdict == "error"
    assert run.error["stage"] == "rows"
    assert not Path("/nowhere").exists()
    assert not says_the_password(bench)


def says_the_password(bench: Bench) -> bool:
    files = [path for path in bench.installation.home.rglob("*") if path.is_file()]
    ours = [path for path in files if "environments" not in path.parts]
    return any(b"canary-secret" in path.read_bytes() for path in ours)


def test_a_run_waits_for_a_source_that_does_not_answer(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: MakeRepository,
) -> None:
    url = "postgresql+psycopg://ada:canary-secret@127.0.0.1:1/weather"
    bench = Bench(installation(sources={"WEATHER_URL": url}), runner, hosts)
    run_id = bench.ask(git_project(project("SELECT 1 AS a")), "daily")
    waiting = bench.execute(run_id)
    assert (waiting.row.status, waiting.verdict) == (Status.QUEUED, None)
    assert waiting.error["kind"] == "source_unreachable"
    assert "Source replica does not answer" in waiting.error["message"]
    assert not says_the_password(bench)
    with bench.installation.ledger.writing() as session:
        session.execute(update(Run).where(Run.id == run_id).values(run_after=None, postponed=99))
    run = bench.execute(run_id)
    assert (run.verdict, run.error["stage"]) == ("error", "rows")
    assert run.error["kind"] == "source_unreachable"


def test_a_query_without_end_is_stopped_at_its_time(
    bench: Bench, git_project: MakeRepository
) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    run = bench(git_project(project(endless, "timeout = 1.5\n"))).run
    assert (run.verdict, run.error["stage"]) == ("timed_out", "rows")
    assert run.error["message"] == "The query took longer than 1.5 s."


def test_a_server_is_read_in_one_transaction_that_cannot_write(
    postgresql: str,
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: MakeRepository,
) -> None:
    url = f"{postgresql}/postgres"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS rain (day date, mm numeric)"))
        connection.execute(text("DELETE FROM rain"))
        wipe = "CREATE OR REPLACE FUNCTION wipe() RETURNS int AS 'DELETE FROM rain; SELECT 1'"
        connection.execute(text(f"{wipe} LANGUAGE sql"))
        connection.execute(text("INSERT INTO rain VALUES ('2013-01-31', 1.5), ('2013-02-28', 2)"))
    bench = Bench(installation(sources={"WEATHER_URL": url}), runner, hosts)
    query = "SELECT mm::float AS mm, day::text FROM rain WHERE day = :day"
    repository = git_project(project(query))
    assert table(bench, bench(repository).run) == {"mm": [1.5], "day": ["2013-01-31"]}
    for query in ("SELECT wipe() AS one", "DELETE FROM rain RETURNING mm"):
        repository.commit({"queries/rows.sql": query})
        done = bench(repository)
        assert (done.verdict, done.run.error["stage"]) == ("error", "rows")
    repository.commit({"queries/rows.sql": "SELECT wipe() AS two"})
    assert "read-only transaction" in bench(repository).run.error["message"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rain")).scalar() == 2
    engine.dispose()
