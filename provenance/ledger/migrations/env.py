"""Alembic's entry: migrates over the connection that provenance.ledger.migrate gives."""

from alembic import context

from provenance.ledger import tables
from provenance.ledger.columns import Base

assert tables.Run.metadata is Base.metadata  # noqa: S101 - importing them declares the tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
