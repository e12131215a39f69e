"""The figures and tables of pages, by what they show."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Pages that are there already are gone through once more, the newest first.
    op.add_column("page_text", sa.Column("figures", sa.Integer(), nullable=True))
    _unread("figures IS NULL")
    op.create_table(
        "figure",
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("page_id", "number", name=op.f("pk_figure")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["page_text.id"], name=op.f("fk_figure_page_id_page_text")
        ),
    )
    op.create_index("ix_figure_sha256_page_id", "figure", ["sha256", "page_id"])


def downgrade() -> None:
    op.drop_table("figure")
    _unread("body IS NULL")
    op.drop_column("page_text", "figures")


def _unread(condition: str) -> None:
    unread = sa.text(condition)
    op.drop_index("ix_page_text_unread", "page_text")
    op.create_index(
        "ix_page_text_unread", "page_text", ["id"], sqlite_where=unread, postgresql_where=unread
    )
