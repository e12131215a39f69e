"""What crosses between a worker and its runner: one JSON document a line, both ways."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class StageJob:
    """Execute a Python stage: ``provenote._stage`` in the project's environment."""

    workplace: str
    marker: str
    venv: str
    context: dict[str, Any]
    op: Literal["stage"] = "stage"


@dataclass(frozen=True)
class SqlJob:
    """Read a query's result from a source into a Parquet file."""

    workplace: str
    url: str = field(repr=False)
    text: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    op: Literal["sql"] = "sql"


@dataclass(frozen=True)
class ReportJob:
    """Execute a template with papermill in a kernel of the project's environment."""

    workplace: str
    marker: str
    venv: str
    notebook: str
    """Path of the template as ``.ipynb``."""
    parameters: dict[str, Any]
    dates: tuple[str, ...]
    """Those parameters that the template has as ``datetime.date``, not as text."""
    context: dict[str, Any]
    search: tuple[str, ...]
    """Directories from which the template may import."""
    cell_seconds: float
    op: Literal["report"] = "report"


@dataclass(frozen=True)
class RenderJob:
    """Turn an executed notebook into the HTML page of a run."""

    workplace: str
    notebook: str
    colophon: dict[str, Any]
    record: dict[str, Any]
    op: Literal["render"] = "render"


Job = StageJob | SqlJob | ReportJob | RenderJob


def as_message(job: Job) -> dict[str, Any]:
    """Return the job as plain JSON values."""
    return asdict(job)


@dataclass(frozen=True)
class Failure:
    """How users' code came to nothing: a result, not an exception."""

    kind: str
    message: str
    where: str | None = None
    traceback: str | None = None
    hint: str | None = None
