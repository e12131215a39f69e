"""The ledger's views: the same on both databases, and what the guide says of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from provenance.ledger import migrate
from provenance.ledger.data_tables import Batch, Dataset, Partition, Pointer, PointerEvent
from provenance.ledger.engine import Ledger
from provenance.ledger.environment_tables import EnvironmentBuild, EnvironmentRow
from provenance.ledger.migrate import revision_of, upgrade
from provenance.ledger.readonly import Question, ask
from provenance.ledger.tables import Check, Metric, RunInput, RunJob
from provenance.ledger.trace_tables import RecordUse, Reproduction
from provenance.ledger.views import VIEWS
from tests.support.rows import SHA, add_evaluation, add_project, add_runs

GUIDE = Path(__file__).parents[3] / "docs" / "ledger.md"
AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def filled(ledger: Ledger) -> tuple[Ledger, str, str]:
    """A ledger with one run that has one of everything, its project's name and its id."""
    project = add_project(ledger)
    evaluation = add_evaluation(ledger, project)
    params = {"date": "2013-01-31", "n": 5}
    (run,) = add_runs(ledger, evaluation, params=params, record="r1", finished_at=AT, branch="main")
    facts = {"sha256": "d1", "size": 3, "media_type": "text/csv"}
    with ledger.writing() as session:
        session.add_all(
            [
                Metric(run_id=run, name="skill", position=0, value=0.25, unit="%", better="higher"),
                Check(run_id=run, position=0, ok=True, message="fine"),
                Check(run_id=run, position=1, ok=False, message="late"),
                RunInput(
                    run_id=run, name="sold", producer="dataset:s/1", producer_key="",
                    batch="b2", **facts,
                ),
                RunJob(
                    run_id=run, position=0, stage="report", key="k1", status="executed",
                    reason="new", sentence="new", seconds=1.5, record="r1",
                ),
                RecordUse(record="r1", kind="file", name="a.py", digest="d2"),
                Reproduction(
                    id="rep1", run_id=run, answer="identical", sentence="The same.",
                    actor="ada", at=AT,
                ),
                EnvironmentRow(
                    key="e1", source="uv.lock", python="3.11.7", platform="linux",
                    packages={"pandas": "3.0.0"},
                ),
                Dataset(id="ds", kind="data", name="sold_items", created_by="ada"),
            ]
        )  # fmt: skip
        session.flush()
        session.add(EnvironmentBuild(id="bu1", environment="e1", state="ready", host="h", log="d3"))
        session.add(Partition(id="pa", dataset_id="ds", name="2013-01-31"))
        session.flush()
        for number in (1, 2):
            session.add(
                Batch(
                    id=f"b{number}", partition_id="pa", number=number, state="committed",
                    filename="s.csv", rows=7, actor="ada", details={}, **facts,
                )
            )  # fmt: skip
        session.flush()
        session.add(Pointer(partition_id="pa", batch_id="b2", version=2))
        session.add(
            PointerEvent(
                partition_id="pa", version=2, op="publish", from_batch="b1", to_batch="b2",
                actor="ada", reason="late rows", at=AT,
            )
        )  # fmt: skip
    return ledger, project.name, run


def rows(ledger: Ledger, query: str, **params: str) -> list[tuple]:
    return list(ask(ledger, Question(query, params)).rows)


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_has_the_columns_that_are_told(ledger: Ledger, name: str) -> None:
    found = [column["name"] for column in inspect(ledger.engine).get_columns(name)]
    assert found == list(VIEWS[name].columns)


def test_no_view_is_untold(ledger: Ledger) -> None:
    assert set(inspect(ledger.engine).get_view_names()) == set(VIEWS)


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_and_column_is_in_the_guide(name: str) -> None:
    told = GUIDE.read_text(encoding="utf-8").split(f"\n## `{name}`\n")
    assert len(told) == 2, f"docs/ledger.md has no section about {name}"
    section = told[1].split("\n## ")[0]
    assert VIEWS[name].row in section
    for column, meaning in VIEWS[name].columns.items():
        assert f"| `{column}` | {meaning} |" in section


@pytest.mark.parametrize("name", VIEWS)
def test_every_name_can_be_written_without_quotes(
    filled: tuple[Ledger, str, str], name: str
) -> None:
    (row,) = rows(filled[0], f"SELECT {', '.join(VIEWS[name].columns)} FROM {name} LIMIT 1")
    assert len(row) == len(VIEWS[name].columns)


def test_a_run_is_told_with_its_commit_and_its_trigger(filled: tuple[Ledger, str, str]) -> None:
    ledger, project, run = filled
    (found,) = rows(
        ledger,
        "SELECT run, project, report, commit_sha, subject, author, committed_at, trigger, actor,"
        " reused, params ->> 'date', finished_at FROM v_runs WHERE project = :project",
        project=project,
    )
    assert found == (
        run, project, "daily", SHA, "s", "Ada", "2026-03-01 00:00:00.000000", "push", "ada",
        0, "2013-01-31", "2026-03-02 08:30:00.000000",
    )  # fmt: skip


def test_a_run_whose_commit_is_not_known_is_told_all_the_same(ledger: Ledger) -> None:
    project = add_project(ledger)
    add_runs(ledger, add_evaluation(ledger, project), commit_sha="b" * 40)
    assert rows(ledger, "SELECT commit_sha, subject FROM v_runs") == [("b" * 40, None)]


def test_what_hangs_on_a_run_names_its_project_and_report(filled: tuple[Ledger, str, str]) -> None:
    ledger, project, run = filled
    assert rows(ledger, "SELECT project, name, value, unit, better FROM v_metrics") == [
        (project, "skill", 0.25, "%", "higher")
    ]
    assert rows(ledger, "SELECT run, ok, message FROM v_checks ORDER BY position") == [
        (run, 1, "fine"),
        (run, 0, "late"),
    ]
    assert rows(ledger, "SELECT project, stage, status, seconds FROM v_jobs") == [
        (project, "report", "executed", 1.5)
    ]
    assert rows(ledger, "SELECT report, name, batch FROM v_inputs") == [("daily", "sold", "b2")]
    assert rows(ledger, "SELECT run, stage, kind, name, digest FROM v_uses") == [
        (run, "report", "file", "a.py", "d2")
    ]
    assert rows(ledger, "SELECT run, again, answer, at FROM v_reproductions") == [
        (run, None, "identical", "2026-03-02 08:30:00.000000")
    ]


def test_checks_can_be_counted_the_same_everywhere(filled: tuple[Ledger, str, str]) -> None:
    assert rows(filled[0], "SELECT sum(ok), count(*) FROM v_checks") == [(1, 2)]


def test_a_batch_says_whether_it_is_the_current_one(filled: tuple[Ledger, str, str]) -> None:
    query = "SELECT dataset, partition, number, is_current, rows FROM v_batches ORDER BY number"
    assert rows(filled[0], query) == [
        ("sold_items", "2013-01-31", 1, 0, 7),
        ("sold_items", "2013-01-31", 2, 1, 7),
    ]


def test_a_move_of_a_pointer_tells_both_numbers(filled: tuple[Ledger, str, str]) -> None:
    query = "SELECT dataset, op, from_number, to_number, reason FROM v_pointer_events"
    assert rows(filled[0], query) == [("sold_items", "publish", 1, 2, "late rows")]


def test_the_first_ledgers_come_to_have_views_of_the_rows_they_have(database_url: str) -> None:
    ledger = Ledger(database_url)
    _migrate(ledger, "0001")
    assert revision_of(ledger) == "0001"
    values = {"at": "2026-03-01 00:00:00", "empty": "{}"}
    with ledger.writing() as session:
        for statement in FIRST_ROWS:
            session.execute(
                text(statement), {name: values[name] for name in values if f":{name}" in statement}
            )
    upgrade(ledger)
    assert rows(ledger, "SELECT run, project, params ->> 'n', reused, again_of FROM v_runs") == [
        ("run_1", "tides", *_number(ledger), 0, None)
    ]
    assert rows(ledger, "SELECT stage, status FROM v_jobs") == [("report", "executed")]
    assert rows(ledger, "SELECT name, batch FROM v_inputs") == [("sold", None)]
    assert rows(ledger, "SELECT value FROM v_metrics WHERE commit_sha = 'c'") == [(1.5,)]
    ledger.close()


def _number(ledger: Ledger) -> tuple[object]:
    return (5,) if ledger.engine.dialect.name == "sqlite" else ("5",)


def _migrate(ledger: Ledger, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate._SCRIPTS))
    with ledger.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


FIRST_ROWS = (
    "INSERT INTO project (id, name, url, default_branch, hook_generation, created_at)"
    " VALUES ('p', 'tides', 'u', 'main', 1, :at)",
    'INSERT INTO evaluation (id, project_id, "trigger", actor, revision, status, attempt,'
    " postponed, cancel_requested, created_at, force, prepared)"
    " VALUES ('e', 'p', 'push', 'ada', 'main', 'finished', 1, 0, false, :at, false, true)",
    'INSERT INTO run (id, evaluation_id, project_id, report, params, origins, "case", case_key,'
    " commit_sha, reused, cells_done, status, attempt, postponed, cancel_requested, created_at)"
    " VALUES ('run_1', 'e', 'p', 'daily', '{\"n\"\\:5}', :empty, :empty, 'k', 'c', false, 0,"
    " 'finished', 1, 0, false, :at)",
    "INSERT INTO run_job (run_id, position, stage, key, status, sentence, seconds)"
    " VALUES ('run_1', 0, 'report', 'k', 'executed', 'new', 1.0)",
    "INSERT INTO run_input (run_id, name, sha256, size, media_type, producer, producer_key)"
    " VALUES ('run_1', 'sold', 'd', 1, 'text/csv', 'a', 'k')",
    "INSERT INTO metric (run_id, name, position, value) VALUES ('run_1', 'skill', 0, 1.5)",
)
