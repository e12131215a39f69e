"""Inserting a row that others may be inserting at the same moment."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from provenance.ledger.columns import Base


def insert_into(session: Session, table: type[Base]) -> Any:
    """Return an INSERT of this database's kind: one that knows ``on_conflict_do_nothing`` and
    ``on_conflict_do_update``, which SQLAlchemy's general one does not."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    return (sqlite.insert if on_sqlite else postgresql.insert)(table)
