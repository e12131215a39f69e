"""What came before a run is found in an index; pages are matched without reading them again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KNOWN = """
UPDATE run SET committed_at = (
  SELECT known.committed_at FROM "commit" AS known
  WHERE known.project_id = run.project_id AND known.sha = run.commit_sha
)
"""
_BY_COMMIT = ["committed_at", "id"]
_INDEXES = {
    "ix_run_project_id_id": ("run", ["project_id", "id"]),
    "ix_run_of_report_by_commit": ("run", ["project_id", "report", *_BY_COMMIT]),
    "ix_commit_project_id_committed_at_sha": ("commit", ["project_id", "committed_at", "sha"]),
    "ix_evaluation_project_id_branch": ("evaluation", ["project_id", "branch"]),
}


# Matching a page without reading it again: of very common words many pages are looked at.
_WORDS = """
ALTER TABLE page_text ADD COLUMN page_words tsvector GENERATED ALWAYS AS (
  to_tsvector('simple', regexp_replace(names || ' ' || coalesce(body, ''),
    '[^[:alnum:]]+', ' ', 'g'))
) STORED
"""
_WORDS_BEFORE = """
CREATE INDEX page_words ON page_text USING gin (to_tsvector('simple',
  regexp_replace(names || ' ' || coalesce(body, ''), '[^[:alnum:]]+', ' ', 'g')))
"""


def upgrade() -> None:
    op.add_column("run", sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_KNOWN)
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)
    of_case: list[str | sa.TextClause] = ["project_id", "report", "case_key"]
    of_case += [sa.text("coalesce(branch, '')"), *_BY_COMMIT]
    op.create_index("ix_run_of_case_by_commit", "run", of_case)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP INDEX page_words")
        op.execute(_WORDS)
        op.execute("CREATE INDEX page_words_index ON page_text USING gin (page_words)")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE page_text DROP COLUMN page_words")
        op.execute(_WORDS_BEFORE)
    op.drop_index("ix_run_of_case_by_commit", "run")
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_column("run", "committed_at")
