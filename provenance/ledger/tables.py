"""The tables of the ledger."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provenance.ledger.columns import Base, utc_now
from provenance.ledger.states import Status


class Project(Base):
    """A git repository with a ``provenote.toml`` at its root."""

    __tablename__ = "project"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    """Where commits are fetched from: the configured remote, never one from a payload."""
    default_branch: Mapped[str] = mapped_column(default="main")
    hook_generation: Mapped[int] = mapped_column(default=1)
    """Counts rotations of the hook secret, which is derived and never stored."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Commit(Base):
    """What a commit says of itself, kept so that pages need no git."""

    __tablename__ = "commit"
    __table_args__ = (
        Index("ix_commit_project_id_committed_at_sha", "project_id", "committed_at", "sha"),
    )

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    sha: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    author: Mapped[str]
    committed_at: Mapped[datetime]
    parent: Mapped[str | None]


class Claimable:
    """Columns of work that a worker claims, holds by a lease and finishes under a fence."""

    status: Mapped[Status] = mapped_column(default=Status.QUEUED, index=True)
    owner: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    postponed: Mapped[int] = mapped_column(default=0)
    """How often it went back to the queue because something did not answer."""
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    rung_at: Mapped[datetime | None]
    run_after: Mapped[datetime | None]
    """Not to be claimed before this instant; set when something did not answer."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Evaluation(Claimable, Base):
    """Everything that one trigger asked for."""

    __tablename__ = "evaluation"
    __table_args__ = (
        Index("ix_evaluation_project_id_id", "project_id", "id"),
        Index("ix_evaluation_actor_id", "actor", "id"),
        Index("ix_evaluation_project_id_branch", "project_id", "branch"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    trigger: Mapped[str]
    actor: Mapped[str]
    revision: Mapped[str]
    """What was asked for: a branch, a tag, a commit, or ``working tree``."""
    branch: Mapped[str | None]
    commit_sha: Mapped[str | None]
    before_sha: Mapped[str | None]
    """The commit that a push moved the branch away from."""
    force: Mapped[bool] = mapped_column(default=False)
    prepared: Mapped[bool] = mapped_column(default=False)
    """Whether its runs are all written; a push is prepared by a worker."""
    verdict: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    """``{"kind", "message", "hint"}`` where preparing it came to nothing."""
    dedup_key: Mapped[str | None] = mapped_column(unique=True)

    project: Mapped[Project] = relationship(lazy="joined", innerjoin=True)
    runs: Mapped[list["Run"]] = relationship(back_populates="evaluation", order_by="Run.id")


class Delivery(Base):
    """One hook delivery that was accepted, so that the same one is never taken twice."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("forge", "project_id", "delivery_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    forge: Mapped[str]
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    delivery_id: Mapped[str]
    event: Mapped[str]
    outcome: Mapped[str]
    evaluation_id: Mapped[str | None] = mapped_column(ForeignKey("evaluation.id"))
    received_at: Mapped[datetime] = mapped_column(default=utc_now)


class Run(Claimable, Base):
    """One report, one case, one commit: one HTML page."""

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_project_id_id", "project_id", "id"),
        Index("ix_run_project_id_report_id", "project_id", "report", "id"),
        Index("ix_run_project_id_report_case_key_id", "project_id", "report", "case_key", "id"),
        Index("ix_run_project_id_commit_sha", "project_id", "commit_sha"),
        Index("ix_run_evaluation_id", "evaluation_id"),
        Index("ix_run_key", "key"),
        Index("ix_run_again_of", "again_of"),
        Index("ix_run_status_id", "status", "id"),
        Index("ix_run_environment_id", "environment", "id"),
        Index("ix_run_html_id", "html", "id"),
        Index("ix_run_report_id", "report", "id"),
        Index("ix_run_verdict_id", "verdict", "id"),
        Index("ix_run_branch_id", "branch", "id"),
        Index("ix_run_commit_sha_id", "commit_sha", "id"),
        Index(
            "ix_run_with_page",
            *("project_id", "report", "id"),
            sqlite_where=text("html IS NOT NULL"),
            postgresql_where=text("html IS NOT NULL"),
        ),
        Index("ix_run_of_report_by_commit", "project_id", "report", "committed_at", "id"),
        Index(
            "ix_run_of_case_by_commit",
            *("project_id", "report", "case_key", text("coalesce(branch, '')")),
            *("committed_at", "id"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluation.id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    report: Mapped[str]
    params: Mapped[dict[str, Any]]
    """Every parameter of the report with its resolved value, in JSON form."""
    origins: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Who chose each value: ``given``, ``case`` or ``default``."""
    case: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The parameters that tell this case from the report's others."""
    case_key: Mapped[str]
    """Hash of ``case``: runs of one case across commits share it."""
    commit_sha: Mapped[str]
    committed_at: Mapped[datetime | None]
    """When the commit was made, as it says itself; what came before is found by it."""
    branch: Mapped[str | None]
    dirty: Mapped[str | None]
    """Hash of the uncommitted changes, for a run of a working tree."""
    data: Mapped[dict[str, Any] | None]
    """``{"as_of": instant, "batches": {"dataset/partition": batch id}}`` where other data than
    the current was asked for."""
    again_of: Mapped[str | None]
    """The run that this one reproduces, or asks "what if" about."""
    purpose: Mapped[str | None]
    """``reproduce`` or ``whatif``; null for a run like any other."""
    environment: Mapped[str | None]
    """Key of the environment that was prepared for it; null for runs of earlier versions."""
    verdict: Mapped[str | None]
    key: Mapped[str | None]
    """Execution key; runs with equal keys have equal results."""
    record: Mapped[str | None]
    """Digest of the record object in the store."""
    reused: Mapped[bool] = mapped_column(default=False)
    reused_from: Mapped[str | None]
    seconds: Mapped[float | None]
    """Seconds from claim to publication."""
    html: Mapped[str | None]
    notebook: Mapped[str | None]
    log: Mapped[str | None]
    expired_at: Mapped[datetime | None]
    """When the time of its page, notebook and log was over; they are gone, the record stays."""
    kernel: Mapped[str | None]
    """``warm`` or ``cold``: how the kernel came to be that executed its report; null where none
    did, and for runs of earlier versions."""
    proof: Mapped[str | None]
    """``equal``, ``nondeterministic`` or ``differs``: how a cold kernel did beside its warm one;
    null where that was not tried."""
    cells_done: Mapped[int] = mapped_column(default=0)
    cells_total: Mapped[int | None]
    doing: Mapped[str | None]
    """What the worker does at this moment: ``stage features``, ``cell 4``."""
    cell_at: Mapped[datetime | None]
    """When a cell of its report began or ended the last time, while it is running."""
    error: Mapped[dict[str, Any] | None]
    """``{"kind", "message", "where", "traceback", "hint"}`` of a run that did not pass."""
    dedup_key: Mapped[str | None] = mapped_column(unique=True)

    project: Mapped[Project] = relationship(lazy="joined", innerjoin=True)
    evaluation: Mapped[Evaluation] = relationship(back_populates="runs")
    metrics: Mapped[list["Metric"]] = relationship(order_by="Metric.position")
    checks: Mapped[list["Check"]] = relationship(order_by="Check.position")
    inputs: Mapped[list["RunInput"]] = relationship(order_by="RunInput.name")
    jobs: Mapped[list["RunJob"]] = relationship(order_by="RunJob.position")


def of_branch(run: type[Run]) -> ColumnElement[str]:
    """Return the branch of *run* as it stands in an index, where no branch is one like others."""
    return func.coalesce(run.branch, literal_column("''"))


class CaseHead(Base):
    """The newest run of each case, so that nobody goes through all runs to know the cases.

    Runs about other runs are left out.
    """

    __tablename__ = "case_head"
    __table_args__ = (Index("ix_case_head_run_id", "run_id"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    report: Mapped[str] = mapped_column(primary_key=True)
    case_key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str]
    """Sorts by the time when it was asked for."""


class Metric(Base):
    """A number that a template or stage recorded."""

    __tablename__ = "metric"
    __table_args__ = (Index("ix_metric_name_run_id_value", "name", "run_id", "value"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    value: Mapped[float | None]
    """The number; null where it was not a number or not finite."""
    unit: Mapped[str | None]
    better: Mapped[str | None]
    """``higher`` or ``lower``."""


class Check(Base):
    """A pass/fail statement that a template or stage recorded."""

    __tablename__ = "check"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    ok: Mapped[bool]
    message: Mapped[str]


class RunInput(Base):
    """A file that a report stood on."""

    __tablename__ = "run_input"
    __table_args__ = (Index("ix_run_input_sha256", "sha256"), Index("ix_run_input_batch", "batch"))

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """The template's name for it; ``name.output`` where a stage has several outputs."""
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes."""
    media_type: Mapped[str]
    producer: Mapped[str]
    """The stage that made it; ``dataset:NAME/PARTITION`` or ``model:NAME`` for a batch."""
    producer_key: Mapped[str]
    """The key of the job that made it; empty for a batch that was imported."""
    batch: Mapped[str | None]
    """The batch that it is, where it was read from a dataset or is a model."""


class RunJob(Base):
    """What a run did about one job it needed: executed it, or reused its result."""

    __tablename__ = "run_job"
    __table_args__ = (Index("ix_run_job_key", "key"), Index("ix_run_job_record", "record"))

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str]
    """Stage name; for the report itself ``report``."""
    key: Mapped[str]
    status: Mapped[str]
    """``executed`` or ``reused``."""
    reason: Mapped[str | None]
    """``new, code, inputs, params, environment, missing, forced``; null where reused."""
    sentence: Mapped[str]
    seconds: Mapped[float]
    record: Mapped[str | None]


class StageRecord(Base):
    """Which key a stage or report had last for which parameters: what a plan compares with."""

    __tablename__ = "stage_record"
    __table_args__ = (Index("ix_stage_record_project_id_name_at", "project_id", "name", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    """``stage:features`` or ``report:sanity_check``."""
    params_key: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class RunEvent(Base):
    """One live message of a running run; deleted when the run is published."""

    __tablename__ = "run_event"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``stage``, ``cell``, ``figure`` (what a cell drew), ``log``, or ``at_work`` (the cell
    at work and the end of what it has printed; there is one at most)."""
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(default=utc_now)
