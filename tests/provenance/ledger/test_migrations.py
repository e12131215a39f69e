"""Migrations bring an empty database to what the models say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from provenance.ledger import migrate
from provenance.ledger.columns import Base
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import (
    HEAD,
    LedgerOutdatedError,
    require_current,
    revision_of,
    upgrade,
)
from provenance.ledger.tables import RunInput
from provenance.ledger.text_tables import WORDS

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_CLAIMABLE = {
    "status": "finished", "attempt": 0, "postponed": 0, "cancel_requested": False,
    "created_at": _AT,
}  # fmt: skip
_A_RUN = {
    "project": {
        "id": "p", "name": "n", "url": "u", "default_branch": "main", "hook_generation": 1,
        "created_at": _AT,
    },
    "evaluation": {
        "id": "e", "project_id": "p", "trigger": "push", "actor": "ada", "revision": "main",
        "force": False, "prepared": True, **_CLAIMABLE,
    },
    "run": {
        "id": "r", "evaluation_id": "e", "project_id": "p", "report": "daily", "params": "{}",
        "origins": "{}", "case": "{}", "case_key": "k", "commit_sha": "a", "reused": False,
        "cells_done": 0, **_CLAIMABLE,
    },
    "run_input": {
        "run_id": "r", "name": "small", "sha256": "d", "size": 7, "media_type": "text/csv",
        "producer": "clean", "producer_key": "k",
    },
}  # fmt: skip
"""One row of each table as the first migration made them."""


@pytest.fixture
def empty(database_url: str):
    found = Ledger(database_url)
    yield found
    found.close()


# SQLite cannot tell of an index over an expression; on PostgreSQL it is compared.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_models_and_migrations_agree(empty: Ledger) -> None:
    upgrade(empty)
    with empty.engine.connect() as connection:
        opts = {"compare_server_default": True, "include_object": _of_the_models}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []
        inspector = inspect(connection)
        named = [
            constraint["name"]
            for table in Base.metadata.tables
            for constraint in inspector.get_unique_constraints(table)
        ]
        assert set(named) >= {"uq_run_dedup_key", "uq_project_name"}


def test_an_input_may_have_more_than_two_gibibytes(empty: Ledger) -> None:
    """A ledger of the first tables, with a row in it, becomes one that counts further."""
    _upgrade_to(empty, "0001")
    for table, values in _A_RUN.items():
        _insert(empty, table, values)
    upgrade(empty)
    big = RunInput(
        run_id="r", name="big", sha256="d", size=3_000_000_000, media_type="text/csv",
        producer="clean", producer_key="k",
    )  # fmt: skip
    with empty.writing() as session:
        session.add(big)
    with empty.reading() as session:
        sizes = session.execute(text("SELECT name, size FROM v_inputs ORDER BY name")).all()
    assert [tuple(row) for row in sizes] == [("big", 3_000_000_000), ("small", 7)]


def test_pages_that_are_there_already_learn_which_run_is_their_newest(empty: Ledger) -> None:
    _upgrade_to(empty, "0001")
    for table in ("project", "evaluation"):
        _insert(empty, table, _A_RUN[table])
    for run_id, html in {"r1": "old", "r2": "old", "r3": "old", "r4": "new", "r5": None}.items():
        _insert(empty, "run", _A_RUN["run"] | {"id": run_id, "html": html})
    _upgrade_to(empty, "0011")
    with empty.writing() as session:
        session.execute(text("UPDATE run SET purpose = 'whatif' WHERE id IN ('r3', 'r4')"))
    upgrade(empty)
    with empty.reading() as session:
        heads = session.execute(
            text("SELECT html, run_id FROM page_head JOIN page_text ON page_text.id = page_id")
        )
        assert [tuple(row) for row in heads] == [("old", "r2")]


def test_an_empty_database_is_refused_until_it_is_upgraded(empty: Ledger) -> None:
    assert revision_of(empty) is None
    with pytest.raises(LedgerOutdatedError, match=r"migration none.*provenote db upgrade"):
        require_current(empty)
    upgrade(empty)
    assert revision_of(empty) == HEAD
    require_current(empty)


def test_upgrading_again_changes_nothing(empty: Ledger) -> None:
    upgrade(empty)
    with empty.writing() as session:
        session.execute(
            text(
                "INSERT INTO project (id, name, url, default_branch, hook_generation, created_at) "
                "VALUES ('p', 'n', 'u', 'main', 1, '2026-01-01')"
            )
        )
    before = _shape(empty)
    upgrade(empty)
    assert _shape(empty) == before
    with empty.reading() as session:
        assert session.execute(text("SELECT count(*) FROM project")).scalar() == 1


def test_a_ledger_of_another_version_is_refused(empty: Ledger) -> None:
    upgrade(empty)
    with empty.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerOutdatedError, match="9999"):
        require_current(empty)


def test_the_newest_migration_is_the_one_that_is_asked_for() -> None:
    assert ScriptDirectory(str(migrate._SCRIPTS)).get_heads() == [HEAD]


def _upgrade_to(ledger: Ledger, revision: str) -> None:
    with ledger.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrate._SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _insert(ledger: Ledger, table: str, values: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    with ledger.engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def _of_the_models(_: object, name: str | None, *__: object) -> bool:
    """Leave out what finds words: tables on SQLite, an index of an expression on PostgreSQL."""
    return name is None or not name.startswith(WORDS)


def _shape(ledger: Ledger) -> dict[str, list[str]]:
    inspector = inspect(ledger.engine)
    return {
        table: [f"{column['name']} {column['type']}" for column in inspector.get_columns(table)]
        for table in sorted(inspector.get_table_names())
    }
