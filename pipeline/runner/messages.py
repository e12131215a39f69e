"""What crosses between a worker and its runner: one JSON document a line, both ways."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipeline.containment import UNLIMITED, Isolation, TreeLimits
from pipeline.kernels.wanted import HostWanted

DEFAULT_OUTPUT = 100_000_000
UNSTOPPABLE = "unstoppable"
"""The event by which a runner says that nothing it executes could be asked to end."""


@dataclass(frozen=True)
class StageJob:
    """Execute a Python stage: ``provenote._stage`` in the project's environment."""

    workplace: str
    marker: str
    venv: str
    context: dict[str, Any]
    isolation: Isolation | None = None
    limits: TreeLimits = UNLIMITED
    output: int = DEFAULT_OUTPUT
    """Bytes that it may print; what comes after is left out."""
    op: Literal["stage"] = "stage"


@dataclass(frozen=True)
class CommandJob:
    """Run a program on a private copy of the files that it stands on."""

    workplace: str
    marker: str
    venv: str
    argv: tuple[str, ...]
    root: str
    """The checkout that ``files`` are copied from."""
    files: tuple[str, ...]
    outputs: dict[str, str]
    """Names of outputs, each with the file that the program leaves."""
    context: dict[str, Any]
    isolation: Isolation | None = None
    limits: TreeLimits = UNLIMITED
    output: int = DEFAULT_OUTPUT
    """Bytes that it may print; what comes after is left out."""
    op: Literal["command"] = "command"


@dataclass(frozen=True)
class SqlJob:
    """Read a query's result from a source into a Parquet file."""

    workplace: str
    url: str = field(repr=False)
    text: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    source: str = "source"
    seconds: float | None = None
    """How long the query may take."""
    covers: str | None = None
    """The parameter whose day has to be over and complete at the source."""
    timezone: str = "UTC"
    """Where the source's days begin and end."""
    freshness: str | None = None
    """A query that says up to when the source's data is complete."""
    op: Literal["sql"] = "sql"


@dataclass(frozen=True)
class KernelJob:
    """A kernel of another language, as its kernelspec says."""

    name: str
    language: str
    argv: tuple[str, ...]
    folder: str
    """Where the kernelspec lies: ``{resource_dir}`` in ``argv``."""
    env: dict[str, str]
    """What the kernelspec adds to the environment."""
    variables: dict[str, str]
    """What we add: where metrics, checks and files are left."""
    interrupt_mode: str


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
    directory: str = ""
    """The working directory of the kernel."""
    kernel: KernelJob | None = None
    """The kernel of another language; None: Python, in the environment."""
    host: HostWanted | None = None
    """What a host has to be like that forks the kernel; None: the kernel is started afresh."""
    door: str | None = None
    """The socket at which such a host answers."""
    isolation: Isolation | None = None
    limits: TreeLimits = UNLIMITED
    """What its kernel may use, with all that it starts."""
    output: int = DEFAULT_OUTPUT
    """Characters that its cells may give; what comes after is left out."""
    op: Literal["report"] = "report"


@dataclass(frozen=True)
class NotebookJob:
    """Execute a notebook as a stage: what counts is the files that it leaves."""

    report: ReportJob
    outputs: dict[str, str | None]
    """Names of outputs, each with its file, or None where any file of that name will do."""
    op: Literal["notebook"] = "notebook"


@dataclass(frozen=True)
class RenderJob:
    """Turn an executed notebook into the HTML page of a run."""

    workplace: str
    notebook: str
    template: str | None
    """The template whose prose is to stand around the notebook's outputs; None: its own."""
    colophon: dict[str, Any]
    record: dict[str, Any]
    op: Literal["render"] = "render"


@dataclass(frozen=True)
class CompareJob:
    """Compare what a run gave with what it gives when it is made again."""

    workplace: str
    files: tuple[dict[str, Any], ...]
    """Pairs of files: where they belong, both paths, the media type, when each was made."""
    notebooks: dict[str, Any] | None
    """Both executed notebooks; None where there are none to compare."""
    tolerance: float
    op: Literal["compare"] = "compare"


Job = StageJob | CommandJob | SqlJob | ReportJob | NotebookJob | RenderJob | CompareJob


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
