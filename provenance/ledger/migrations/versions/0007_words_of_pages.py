"""What searches and lists stand on: words of pages, the newest run of each case, indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_run_html_id": ("run", ["html", "id"]),
    "ix_run_report_id": ("run", ["report", "id"]),
    "ix_run_verdict_id": ("run", ["verdict", "id"]),
    "ix_run_branch_id": ("run", ["branch", "id"]),
    "ix_run_commit_sha_id": ("run", ["commit_sha", "id"]),
    "ix_evaluation_actor_id": ("evaluation", ["actor", "id"]),
    "ix_metric_name_run_id_value": ("metric", ["name", "run_id", "value"]),
}
# Pages that are there already: a worker reads them, the newest first.
_KNOWN = """
INSERT INTO page_text (html, notebook, project_id, names)
SELECT run.html, run.notebook, run.project_id,
  project.name || ' ' || run.report || ' ' || {params} || ' ' || coalesce(known.subject, '')
FROM run JOIN project ON project.id = run.project_id
LEFT JOIN "commit" AS known
  ON known.project_id = run.project_id AND known.sha = run.commit_sha
WHERE run.id IN (SELECT min(id) FROM run WHERE html IS NOT NULL GROUP BY html)
ORDER BY run.id
"""


_HEADS = """
INSERT INTO case_head (project_id, report, case_key, run_id)
SELECT project_id, report, case_key, max(id) FROM run WHERE purpose IS NULL
GROUP BY project_id, report, case_key
"""


def upgrade() -> None:
    op.create_table(
        "page_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("html", sa.String(), nullable=False),
        sa.Column("notebook", sa.String(), nullable=True),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("names", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_text")),
        sa.UniqueConstraint("html", name=op.f("uq_page_text_html")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_page_text_project_id_project")
        ),
    )
    unread = sa.text("body IS NULL")
    op.create_index(
        "ix_page_text_unread", "page_text", ["id"], sqlite_where=unread, postgresql_where=unread
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE page_words USING fts5(names, body, content='page_text', "
            "content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3')"
        )
        op.execute(_KNOWN.format(params="run.params"))
    else:
        op.execute(
            "CREATE INDEX page_words ON page_text USING gin "
            "(to_tsvector('simple', regexp_replace(names || ' ' || coalesce(body, ''), "
            "'[^[:alnum:]]+', ' ', 'g')))"
        )
        op.execute(_KNOWN.format(params="run.params::text"))
    op.create_table(
        "case_head",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("case_key", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "report", "case_key", name=op.f("pk_case_head")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_case_head_project_id_project")
        ),
    )
    op.create_index("ix_case_head_run_id", "case_head", ["run_id"])
    op.execute(_HEADS)
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("case_head")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE page_words")
    op.drop_table("page_text")
