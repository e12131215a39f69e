"""Environments and their builds, and which environment each run was given."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RUNS = """CREATE VIEW v_runs AS SELECT
    r.id AS run, p.name AS project, r.report AS report, r.case_key AS case_key,
    r."case" AS case_params, r.branch AS branch, r.commit_sha AS commit_sha,
    r.purpose AS purpose,
    r.evaluation_id AS evaluation, r.status AS status, r.verdict AS verdict,
    r.params AS params, r.dirty AS dirty, c.subject AS subject, c.author AS author,
    c.committed_at AS committed_at, e."trigger" AS "trigger", e.actor AS actor,
    CAST(CASE WHEN r.reused THEN 1 ELSE 0 END AS INTEGER) AS reused,
    r.reused_from AS reused_from, r.key AS key, r.record AS record, r.error AS error,
    r.again_of AS again_of, r.seconds AS seconds,
    r.created_at AS created_at, r.started_at AS started_at, r.finished_at AS finished_at{more}
    FROM run r JOIN project p ON p.id = r.project_id
    JOIN evaluation e ON e.id = r.evaluation_id
    LEFT JOIN "commit" c ON c.project_id = r.project_id AND c.sha = r.commit_sha"""

_ENVIRONMENTS = """CREATE VIEW v_environments AS SELECT
    n.key AS environment, n.source AS source, n.python AS python, n.platform AS platform,
    n.packages AS packages, b.id AS build, b.state AS state, b.host AS host, b.run_id AS run,
    b.seconds AS seconds, b.size AS size, b.log AS log, b.error AS error,
    b.started_at AS started_at, b.finished_at AS finished_at, b.collected_at AS collected_at
    FROM environment n JOIN environment_build b ON b.environment = n.key"""


def upgrade() -> None:
    op.create_table(
        "environment",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("python", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("packages", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_environment")),
    )
    op.create_table(
        "environment_build",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("log", sa.String(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environment_build")),
        sa.ForeignKeyConstraint(
            ["environment"],
            ["environment.key"],
            name=op.f("fk_environment_build_environment_environment"),
        ),
    )
    op.create_index(
        "ix_environment_build_environment_id", "environment_build", ["environment", "id"]
    )
    op.create_index("ix_environment_build_log", "environment_build", ["log"])
    op.add_column("run", sa.Column("environment", sa.String(), nullable=True))
    op.create_index("ix_run_environment_id", "run", ["environment", "id"])
    with_environment = _RUNS.format(more=", r.environment AS environment")
    if op.get_context().dialect.name == "postgresql":
        # In place: what was granted on it stays, and views that stand on it.
        op.execute(with_environment.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
    else:
        op.execute("DROP VIEW v_runs")
        op.execute(with_environment)
    op.execute(_ENVIRONMENTS)


def downgrade() -> None:
    op.execute("DROP VIEW v_environments")
    op.execute("DROP VIEW v_runs")
    op.drop_index("ix_run_environment_id", "run")
    op.drop_column("run", "environment")
    op.drop_table("environment_build")
    op.drop_table("environment")
    op.execute(_RUNS.format(more=""))
