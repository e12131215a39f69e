"""Views: the ledger as tables that analysts query. What they promise is in docs/ledger.md.

A later migration that changes a table below has to drop the views first and create them anew:
SQLite refuses to rename a table into place while a view names it.
"""

from alembic import op

# ruff: noqa: S608 - the texts are put together of what stands here, and nothing else.

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Names that are words of SQL in one of the databases are in quotes here, and no view has them.
_OF_RUN = """
    r.id AS run, p.name AS project, r.report AS report, r.case_key AS case_key,
    r."case" AS case_params, r.branch AS branch, r.commit_sha AS commit_sha,
    r.purpose AS purpose"""
_RUN = """
    FROM run r JOIN project p ON p.id = r.project_id"""
_COMMIT = """
    LEFT JOIN "commit" c ON c.project_id = r.project_id AND c.sha = r.commit_sha"""
_BATCH = """
    JOIN "partition" s ON s.id = {of}.partition_id JOIN dataset d ON d.id = s.dataset_id"""

VIEWS = {
    "v_runs": f"""SELECT {_OF_RUN},
    r.evaluation_id AS evaluation, r.status AS status, r.verdict AS verdict,
    r.params AS params, r.dirty AS dirty, c.subject AS subject, c.author AS author,
    c.committed_at AS committed_at, e."trigger" AS "trigger", e.actor AS actor,
    CAST(CASE WHEN r.reused THEN 1 ELSE 0 END AS INTEGER) AS reused,
    r.reused_from AS reused_from, r.key AS key, r.record AS record, r.error AS error,
    r.again_of AS again_of, r.seconds AS seconds,
    r.created_at AS created_at, r.started_at AS started_at, r.finished_at AS finished_at
    {_RUN} JOIN evaluation e ON e.id = r.evaluation_id {_COMMIT}""",
    "v_metrics": f"""SELECT {_OF_RUN},
    c.committed_at AS committed_at, r.finished_at AS finished_at,
    m.name AS name, m.value AS value, m.unit AS unit, m.better AS better
    {_RUN} JOIN metric m ON m.run_id = r.id {_COMMIT}""",
    "v_checks": f"""SELECT {_OF_RUN},
    c.committed_at AS committed_at, r.finished_at AS finished_at, k.position AS position,
    CAST(CASE WHEN k.ok THEN 1 ELSE 0 END AS INTEGER) AS ok, k.message AS message
    {_RUN} JOIN "check" k ON k.run_id = r.id {_COMMIT}""",
    "v_jobs": f"""SELECT {_OF_RUN},
    j.position AS position, j.stage AS stage, j.key AS key, j.status AS status,
    j.reason AS reason, j.sentence AS sentence, j.seconds AS seconds, j.record AS record
    {_RUN} JOIN run_job j ON j.run_id = r.id""",
    "v_inputs": f"""SELECT {_OF_RUN},
    i.name AS name, i.sha256 AS sha256, i.size AS size, i.media_type AS media_type,
    i.producer AS producer, i.producer_key AS producer_key, i.batch AS batch
    {_RUN} JOIN run_input i ON i.run_id = r.id""",
    "v_batches": f"""SELECT
    b.id AS batch, d.kind AS kind, d.name AS dataset, s.name AS partition, b.number AS number,
    b.state AS state,
    CAST(CASE WHEN t.batch_id IS NULL THEN 0 ELSE 1 END AS INTEGER) AS is_current,
    b."rows" AS "rows", b.size AS size, b.sha256 AS sha256, b.media_type AS media_type,
    b.filename AS filename, b.schema_change AS schema_change, b.record AS record,
    b.run_id AS run, b.actor AS actor, b.created_at AS created_at
    FROM batch b {_BATCH.format(of="b")} LEFT JOIN pointer t ON t.batch_id = b.id""",
    "v_pointer_events": f"""SELECT
    d.kind AS kind, d.name AS dataset, s.name AS partition, e.version AS version, e.op AS op,
    e.from_batch AS from_batch, f.number AS from_number,
    e.to_batch AS to_batch, t.number AS to_number,
    e.actor AS actor, e.reason AS reason, e.run_id AS run, e.at AS at
    FROM pointer_event e {_BATCH.format(of="e")}
    LEFT JOIN batch f ON f.id = e.from_batch LEFT JOIN batch t ON t.id = e.to_batch""",
    "v_uses": f"""SELECT {_OF_RUN},
    j.stage AS stage, u.record AS record, u.kind AS kind, u.name AS name, u.digest AS digest
    {_RUN} JOIN run_job j ON j.run_id = r.id JOIN record_use u ON u.record = j.record""",
    "v_reproductions": f"""SELECT {_OF_RUN},
    a.id AS reproduction, a.again AS again, a.answer AS answer, a.sentence AS sentence,
    a.actor AS actor, a.at AS at
    {_RUN} JOIN reproduction a ON a.run_id = r.id""",
}


def upgrade() -> None:
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
