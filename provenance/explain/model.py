"""What an explanation is made of."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What can be the cause of a difference, in the order in which causes are told."""

    PARAMETERS = "parameters"
    TEMPLATE = "template"
    IMPORTED_CODE = "imported_code"
    STAGE_CODE = "stage_code"
    WIRING = "wiring"
    DATA = "data"
    PACKAGES = "packages"
    PLATFORM = "platform"
    ENVIRONMENT = "environment"
    RANDOMNESS = "randomness"


ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Cause:
    """One thing that differs by itself, not because something before it does."""

    kind: Kind
    subject: str
    """What it is: ``stages/features.py``, ``param date``, ``cell 3``, ``source replica``."""
    sentence: str
    diff: str | None = None
    """A unified diff, where both texts, or the only one, are still kept."""
    where: tuple[str, ...] = ()
    """The jobs that it reached by itself; those after them are its consequences."""
    moved: bool = True
    """Whether any of these jobs gave anything else because of it."""


@dataclass(frozen=True)
class OutputChange:
    """One output of a job in both runs; None where a run has none of this name."""

    name: str
    before: str | None
    after: str | None

    @property
    def same(self) -> bool:
        """Whether both are the same bytes."""
        return self.before == self.after


@dataclass(frozen=True)
class JobChange:
    """What became of one job: whether its key moved, and whether what it gave did."""

    name: str
    before: str | None
    """Its key in the first run; None where that has no such job."""
    after: str | None
    outputs: tuple[OutputChange, ...]
    same_outputs: bool
    """Whether all it gave is the same; of a report its cells count, not when they were executed."""
    why: str
    """A cause, a consequence, or the same."""

    @property
    def same_key(self) -> bool:
        """Whether nothing in its key differs."""
        return self.before == self.after


@dataclass(frozen=True)
class MetricMove:
    """A metric that is not the same in both runs."""

    name: str
    before: float | None
    after: float | None
    difference: float | None
    unit: str | None
    better: str | None
    """Which way is better, ``higher`` or ``lower``, where it is known."""
    only: str | None = None
    """``before`` or ``after``, where one run alone recorded it."""

    @property
    def direction(self) -> str:
        """``better`` or ``worse``, or ``changed`` where nobody said which way is which."""
        if not self.difference or self.better not in ("higher", "lower"):
            return "changed"
        return "better" if (self.difference > 0) == (self.better == "higher") else "worse"


@dataclass(frozen=True)
class CheckFlip:
    """A check that holds in one run only; None where a run does not have it."""

    message: str
    before: bool | None
    after: bool | None


@dataclass(frozen=True)
class Results:
    """What moved of the results, and how much did not."""

    metrics: tuple[MetricMove, ...] = ()
    checks: tuple[CheckFlip, ...] = ()
    same_metrics: int = 0
    same_checks: int = 0
    verdicts: tuple[str | None, str | None] = (None, None)

    @property
    def same(self) -> bool:
        """Whether metrics, checks and verdict are equal."""
        return not (self.metrics or self.checks) and self.verdicts[0] == self.verdicts[1]


@dataclass(frozen=True)
class Explanation:
    """Why two runs have the results that they have."""

    a: str
    b: str
    sentence: str
    causes: tuple[Cause, ...]
    jobs: tuple[JobChange, ...]
    results: Results
    notes: tuple[str, ...] = ()
    """What is true and no cause: comments that changed, records that are lost, other machines."""
    same_result: bool = False
    """Whether both runs stand on one and the same record."""

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as plain JSON values."""
        body = asdict(self)
        for told, job in zip(body["jobs"], self.jobs, strict=True):
            told["same_key"] = job.same_key
        for told, metric in zip(body["results"]["metrics"], self.results.metrics, strict=True):
            told["direction"] = metric.direction
        body["results"]["same"] = self.results.same
        return body


@dataclass(frozen=True)
class Line:
    """One sentence in the story of a result."""

    topic: str
    """``asked``, ``code``, ``data``, ``stage``, ``environment``, ``result`` or ``odd``."""
    subject: str
    sentence: str
    digest: str | None = None
    """What can be looked up: an output, a batch, a record."""


@dataclass(frozen=True)
class Telling:
    """How one result came to be, in order."""

    run: str
    sentence: str
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the story as plain JSON values."""
        return asdict(self)
