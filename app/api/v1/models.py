"""What goes in and comes out, as the OpenAPI document describes it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

Json = dict[str, Any]


class ProjectPath(BaseModel):
    """The path of a project."""

    project: str


class ReportPath(ProjectPath):
    """The path of a report."""

    report: str


class RunPath(BaseModel):
    """The path of a run."""

    run_id: str


class EvaluationPath(BaseModel):
    """The path of an evaluation."""

    evaluation_id: str


class WaitQuery(BaseModel):
    """How long an answer may take."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(0, ge=0, le=60, description="Seconds to wait for the run to end.")


class RunsQuery(BaseModel):
    """Which runs to list; beside these, ``param.NAME=VALUE`` for the value of a parameter."""

    model_config = ConfigDict(extra="allow")

    q: str | None = Field(
        None,
        max_length=500,
        description="What can be typed into the search box: filters such as `since:7d` and "
        "`metric.rmse>2`, and words of pages. The other parameters narrow it further.",
    )
    project: str | None = None
    report: str | None = None
    commit: str | None = Field(None, description="A commit, or its first digits, at least four.")
    branch: str | None = None
    status: str | None = None
    verdict: str | None = None
    purpose: str | None = Field(
        None, description="`reproduce` or `whatif`; left out, only runs like any other."
    )
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, description="The `next` of the page before.")


class RunBody(BaseModel):
    """What to run."""

    model_config = ConfigDict(extra="forbid")

    params: Json = Field(default_factory=dict)
    commit: str | None = Field(
        None, description="A branch, tag or commit; left out: the project's default branch."
    )
    force: StrictBool = Field(False, description="Execute everything, even what is unchanged.")
    as_of: str | None = Field(
        None, description="A date or instant: read the data that was current then."
    )


class SweepBody(RunBody):
    """What to run, for several values of parameters."""

    several: dict[str, list[Any]] = Field(
        description="Values of parameters, or ranges such as `1 .. 9` and `2013-01-01 .. "
        "2013-12-31 step 7d`; every combination becomes a run, 400 at most."
    )


class RerunBody(BaseModel):
    """How to run again."""

    model_config = ConfigDict(extra="forbid")

    force: StrictBool = Field(False, description="Execute everything, even what is unchanged.")


class MetricObject(BaseModel):
    """A number that the run recorded."""

    name: str
    value: float | None
    unit: str | None
    better: Literal["higher", "lower"] | None


class CheckObject(BaseModel):
    """A pass/fail statement that the run recorded."""

    ok: bool
    message: str


class InputObject(BaseModel):
    """A file that the report stood on."""

    name: str
    sha256: str
    size: int
    media_type: str
    producer: str
    producer_key: str
    batch: str | None


class ProgressObject(BaseModel):
    """How far a run is that has not ended; seconds are null where nobody knows them."""

    doing: str | None
    cells_done: int
    cells_total: int | None
    elapsed: float = Field(description="Seconds since a worker began with it.")
    expected_seconds: float | None = Field(description="What its case took before.")
    left_seconds: float | None
    queue_position: int | None = Field(description="Its place in the queue, from 1.")
    queue_seconds: float | None = Field(description="Seconds until a worker begins with it.")
    tried_again_at: str | None


class RunObject(BaseModel):
    """A run."""

    id: str
    project: str
    report: str
    status: str
    verdict: str | None
    commit: str
    branch: str | None
    params: Json
    trigger: str
    actor: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    key: str | None
    record: str | None
    reused: bool
    kernel: str | None = Field(description="`warm` or `cold`; null where it executed no report.")
    proof: str | None = Field(
        description="`equal`, `nondeterministic` or `differs`: how a cold kernel did beside it."
    )
    metrics: list[MetricObject]
    checks: list[CheckObject]
    inputs: list[InputObject]
    as_of: str | None
    purpose: str | None
    again_of: str | None
    error: Json | None
    progress: ProgressObject | None
    links: dict[str, str]


class RunList(BaseModel):
    """Runs, newest first."""

    items: list[RunObject]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class ProjectObject(BaseModel):
    """A project."""

    name: str
    default_branch: str
    created_at: str
    reports: list[str] = Field(description="Reports that have runs.")
    links: dict[str, str]


class ProjectList(BaseModel):
    """All projects, by name."""

    items: list[ProjectObject]


class EvaluationRun(BaseModel):
    """A run, in the list of its evaluation."""

    id: str
    report: str
    status: str
    verdict: str | None
    params: Json
    reused: bool
    progress: ProgressObject | None
    links: dict[str, str]


class EvaluationObject(BaseModel):
    """Everything that one trigger asked for."""

    id: str
    project: str
    trigger: str
    actor: str
    revision: str
    branch: str | None
    commit: str | None
    status: str
    verdict: str | None
    force: bool
    prepared: bool
    error: Json | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    runs: list[EvaluationRun]
    links: dict[str, str]


class ErrorObject(BaseModel):
    """What was wrong."""

    code: str
    message: str
    hint: str
    problems: list[dict[str, str]] | None = None


class ErrorAnswer(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorObject
