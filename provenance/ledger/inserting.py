"""Inserting a row that others may be inserting at the same moment."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from provenance.ledger.columns import Base
from provenance.ledger.engine import is_sqlite


def insert_into(session: Session, table: type[Base]) -> Any:
    """Return an INSERT of this database's kind: one that knows ``on_conflict_do_nothing`` and
    ``on_conflict_do_update``, which SQLAlchemy's general one does not."""
    return (sqlite.insert if is_sqlite(session) else postgresql.insert)(table)
