"""Whether warm kernels give what cold ones do, environment by environment, and run by run."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kernel_proof",
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("preload", sa.String(), nullable=False),
        sa.Column("modules", sa.JSON(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("proved", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=True),
        sa.Column("off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trusted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trusted_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("environment", "preload", name=op.f("pk_kernel_proof")),
    )
    # Added, not changed: the table is not made anew, so the views that name it may stay.
    op.add_column("run", sa.Column("kernel", sa.String(), nullable=True))
    op.add_column("run", sa.Column("proof", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "proof")
    op.drop_column("run", "kernel")
    op.drop_table("kernel_proof")
