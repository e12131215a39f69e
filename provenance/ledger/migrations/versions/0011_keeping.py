"""What people make of runs, how long pages are kept, and what pages are about."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("storage_use", "retention", "bin_hold", "binned_run", "run_comment", "run_tag")


_INDEXES = {
    "ix_binned_run_evaluation_id": ("binned_run", ["evaluation_id"]),
    "ix_binned_run_html": ("binned_run", ["html"]),
    "ix_binned_run_record": ("binned_run", ["record"]),
    "ix_reproduction_again": ("reproduction", ["again"]),
    "ix_batch_run_id": ("batch", ["run_id"]),
    "ix_pointer_event_run_id": ("pointer_event", ["run_id"]),
}
"""Without them each run that is deleted had whole tables looked through for what names it."""


def upgrade() -> None:
    op.add_column("page_text", sa.Column("about", sa.String(), nullable=True))
    op.add_column("run", sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True))
    there = sa.text("html IS NOT NULL")
    op.create_index(
        "ix_run_with_page",
        "run",
        ["project_id", "report", "id"],
        sqlite_where=there,
        postgresql_where=there,
    )
    _create("run_tag", _text("run_id"), _text("tag"), _text("actor"), _at(), key="run_id tag")
    op.create_index("ix_run_tag_tag_run_id", "run_tag", ["tag", "run_id"])
    _create("run_comment", *map(_text, ("id", "run_id", "actor", "text")), _at(), key="id")
    op.create_index("ix_run_comment_run_id", "run_comment", ["run_id"])
    _create_bin()
    of_report = (_text("project_id"), _text("report"))
    days = sa.Column("days", sa.Integer(), nullable=False)
    _create("retention", *of_report, days, _text("actor"), _at(), key="project_id report")
    op.create_table(
        "storage_use",
        *(_text("project"), _text("report")),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _at(),
        sa.PrimaryKeyConstraint("project", "report", name=op.f("pk_storage_use")),
    )
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def _create_bin() -> None:
    op.create_table(
        "binned_run",
        *map(_text, ("id", "deletion", "evaluation_id", "project_id", "report")),
        sa.Column("case", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        *map(_text, ("commit_sha", "actor")),
        _at(),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("record", sa.String(), nullable=True),
        sa.Column("html", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binned_run")),
        *(
            sa.ForeignKeyConstraint(
                [f"{owner}_id"], [f"{owner}.id"], name=op.f(f"fk_binned_run_{owner}_id_{owner}")
            )
            for owner in ("evaluation", "project")
        ),
    )
    for column in ("deletion", "at"):
        op.create_index(f"ix_binned_run_{column}", "binned_run", [column])
    op.create_table(
        "bin_hold",
        *(_text("run_id"), _text("digest")),
        sa.PrimaryKeyConstraint("run_id", "digest", name=op.f("pk_bin_hold")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["binned_run.id"], name=op.f("fk_bin_hold_run_id_binned_run")
        ),
    )
    op.create_index("ix_bin_hold_digest", "bin_hold", ["digest"])


def _create(name: str, *columns: "sa.Column[Any]", key: str) -> None:
    """Create a table whose rows belong to a run, or else to a project."""
    owner = "run" if any(column.name == "run_id" for column in columns) else "project"
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint(*key.split(), name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(
            [f"{owner}_id"], [f"{owner}.id"], name=op.f(f"fk_{name}_{owner}_id_{owner}")
        ),
    )


def _text(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.String(), nullable=False)


def _at() -> "sa.Column[Any]":
    return sa.Column("at", sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("ix_run_with_page", "run")
    op.drop_column("run", "expired_at")
    op.drop_column("page_text", "about")
