"""Bringing the ledger's tables to the shape that this version expects."""

from pathlib import Path

from sqlalchemy import inspect, text

from provenance.errors import ProvenoteError
from provenance.ledger.engine import Ledger

HEAD = "0012"
"""The newest migration; kept here so that a check needs no import of alembic."""

_SCRIPTS = Path(__file__).parent / "migrations"


class LedgerOutdatedError(ProvenoteError):
    """Raised when the ledger's tables are not those of this version."""

    code = "ledger_outdated"


def revision_of(ledger: Ledger) -> str | None:
    """Return the migration that the ledger stands at; None for an empty database."""
    with ledger.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(ledger: Ledger) -> None:
    """Apply the migrations that are missing; nothing where there are none."""
    if revision_of(ledger) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with ledger.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current(ledger: Ledger) -> None:
    """Raise LedgerOutdatedError unless the ledger is at the newest migration."""
    found = revision_of(ledger)
    if found != HEAD:
        raise LedgerOutdatedError(
            f"The ledger is at migration {found or 'none'}, this version needs {HEAD}.",
            "Run `provenote db upgrade`.",
        )
