"""How long runs took, case by case, and how far a run under way is in its cells."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added, not changed: the table is not made anew, so the views that name it may stay.
    op.add_column("run", sa.Column("cell_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_run_status_id", "run", ["status", "id"])
    op.create_table(
        "case_times",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("case_key", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_case_times_project_id_project")
        ),
        sa.PrimaryKeyConstraint("project_id", "report", "case_key", name=op.f("pk_case_times")),
    )
    of_report = ["project_id", "report", "at"]
    op.create_index("ix_case_times_project_id_report_at", "case_times", of_report)


def downgrade() -> None:
    op.drop_table("case_times")
    op.drop_index("ix_run_status_id", "run")
    op.drop_column("run", "cell_at")
