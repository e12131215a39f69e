"""Alembic's entry: migrates over the connection that provenance.ledger.migrate gives."""

from alembic import context

from provenance.ledger import (
    data_tables,
    environment_tables,
    keeping_tables,
    share_tables,
    tables,
    text_tables,
    trace_tables,
)
from provenance.ledger.columns import Base

for _module in (
    tables,
    data_tables,
    environment_tables,
    keeping_tables,
    share_tables,
    text_tables,
    trace_tables,
):
    assert _module.Base is Base  # noqa: S101 - importing them declares the tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
