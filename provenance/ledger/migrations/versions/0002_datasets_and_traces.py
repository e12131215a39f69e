"""Datasets and models, and the traces that results leave."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_dataset_kind_name")),
    )
    op.create_table(
        "key_event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=True),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_event")),
    )
    with op.batch_alter_table("key_event", schema=None) as batch_op:
        batch_op.create_index("ix_key_event_key", ["key"], unique=False)

    op.create_table(
        "key_lease",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_key_lease")),
    )
    op.create_table(
        "pin",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin")),
        sa.UniqueConstraint("holder", "target", name=op.f("uq_pin_holder_target")),
    )
    with op.batch_alter_table("pin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pin_target"), ["target"], unique=False)

    op.create_table(
        "record_use",
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("record", "kind", "name", name=op.f("pk_record_use")),
    )
    with op.batch_alter_table("record_use", schema=None) as batch_op:
        batch_op.create_index("ix_record_use_digest", ["digest"], unique=False)
        batch_op.create_index("ix_record_use_kind_name", ["kind", "name"], unique=False)

    op.create_table(
        "partition",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_partition_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partition")),
        sa.UniqueConstraint("dataset_id", "name", name=op.f("uq_partition_dataset_id_name")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_snapshot_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("dataset_id", "name", name=op.f("uq_snapshot_dataset_id_name")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("partition_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("schema_change", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("record", sa.String(), nullable=True),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partition_id"], ["partition.id"], name=op.f("fk_batch_partition_id_partition")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_batch_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint(
            "partition_id", "idempotency_key", name=op.f("uq_batch_partition_id_idempotency_key")
        ),
        sa.UniqueConstraint("partition_id", "number", name=op.f("uq_batch_partition_id_number")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index("ix_batch_sha256", ["sha256"], unique=False)

    op.create_table(
        "reproduction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("again", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["again"], ["run.id"], name=op.f("fk_reproduction_again_run")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_reproduction_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reproduction")),
    )
    with op.batch_alter_table("reproduction", schema=None) as batch_op:
        batch_op.create_index("ix_reproduction_run_id", ["run_id"], unique=False)

    op.create_table(
        "pointer",
        sa.Column("partition_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_pointer_batch_id_batch")),
        sa.ForeignKeyConstraint(
            ["partition_id"], ["partition.id"], name=op.f("fk_pointer_partition_id_partition")
        ),
        sa.PrimaryKeyConstraint("partition_id", name=op.f("pk_pointer")),
    )
    op.create_table(
        "pointer_event",
        sa.Column("partition_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("op", sa.String(), nullable=False),
        sa.Column("from_batch", sa.String(), nullable=True),
        sa.Column("to_batch", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_batch"], ["batch.id"], name=op.f("fk_pointer_event_from_batch_batch")
        ),
        sa.ForeignKeyConstraint(
            ["partition_id"], ["partition.id"], name=op.f("fk_pointer_event_partition_id_partition")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_pointer_event_run_id_run")),
        sa.ForeignKeyConstraint(
            ["to_batch"], ["batch.id"], name=op.f("fk_pointer_event_to_batch_batch")
        ),
        sa.PrimaryKeyConstraint("partition_id", "version", name=op.f("pk_pointer_event")),
    )
    with op.batch_alter_table("pointer_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pointer_event_partition_id_at", ["partition_id", "at"], unique=False
        )

    op.create_table(
        "snapshot_batch",
        sa.Column("snapshot_id", sa.String(), nullable=False),
        sa.Column("partition_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_snapshot_batch_batch_id_batch")
        ),
        sa.ForeignKeyConstraint(
            ["partition_id"],
            ["partition.id"],
            name=op.f("fk_snapshot_batch_partition_id_partition"),
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_batch_snapshot_id_snapshot")
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "partition_id", name=op.f("pk_snapshot_batch")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("data", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("again_of", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("purpose", sa.String(), nullable=True))
        batch_op.create_index("ix_run_again_of", ["again_of"], unique=False)

    with op.batch_alter_table("run_input", schema=None) as batch_op:
        batch_op.add_column(sa.Column("batch", sa.String(), nullable=True))
        batch_op.alter_column("size", existing_type=sa.Integer(), type_=sa.BigInteger())
        batch_op.create_index("ix_run_input_batch", ["batch"], unique=False)

    with op.batch_alter_table("run_job", schema=None) as batch_op:
        batch_op.create_index("ix_run_job_record", ["record"], unique=False)
