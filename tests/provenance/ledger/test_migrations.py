"""Migrations bring an empty database to what the models say."""

import pytest
from alembic.autogenerate import compare_metadata
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


@pytest.fixture
def empty(database_url: str):
    found = Ledger(database_url)
    yield found
    found.close()


def test_models_and_migrations_agree(empty: Ledger) -> None:
    upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        inspector = inspect(connection)
        named = [
            constraint["name"]
            for table in Base.metadata.tables
            for constraint in inspector.get_unique_constraints(table)
        ]
        assert set(named) >= {"uq_run_dedup_key", "uq_project_name"}


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


def _shape(ledger: Ledger) -> dict[str, list[str]]:
    inspector = inspect(ledger.engine)
    return {
        table: [f"{column['name']} {column['type']}" for column in inspector.get_columns(table)]
        for table in sorted(inspector.get_table_names())
    }
