"""The newest run of each page: what a search for words shows of it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NEWEST = """
INSERT INTO page_head (page_id, run_id)
SELECT page_text.id, max(run.id) FROM page_text JOIN run ON run.html = page_text.html
WHERE run.purpose IS NULL GROUP BY page_text.id ORDER BY page_text.id
"""


def upgrade() -> None:
    op.create_table(
        "page_head",
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("page_id", name=op.f("pk_page_head")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["page_text.id"], name=op.f("fk_page_head_page_id_page_text")
        ),
    )
    op.execute(_NEWEST)
    op.create_index("ix_page_head_run_id", "page_head", ["run_id", "page_id"])


def downgrade() -> None:
    op.drop_table("page_head")
