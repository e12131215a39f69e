"""What is asked of, and answered about, those who stand on a thing."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

Thing = Literal["file", "artifact", "batch", "package", "record"]
THINGS: tuple[Thing, ...] = ("file", "artifact", "batch", "package", "record")


@dataclass(frozen=True)
class Wanted:
    """The thing whose users are looked for."""

    kind: Thing
    name: str
    project: str | None = None


@dataclass(frozen=True)
class UsedRun:
    """A run that stands on it."""

    id: str
    case: str
    commit: str
    subject: str | None
    branch: str | None
    verdict: str | None
    reused: bool
    finished_at: datetime | None
    through: tuple[str, ...]
    """The jobs of the run that name it themselves; ``report`` is the report itself."""


@dataclass(frozen=True)
class UsedCase:
    """A case of a report, and whether its latest run stands on it still."""

    case: str
    latest: str
    stands: bool


@dataclass(frozen=True)
class UsedReport:
    """A report that stands on it, with its newest runs first."""

    project: str
    report: str
    total: int
    runs: tuple[UsedRun, ...]
    cases: tuple[UsedCase, ...]

    @property
    def stands(self) -> bool:
        """Whether the latest run of any case stands on it still."""
        return any(case.stands for case in self.cases)


@dataclass(frozen=True)
class UsedBy:
    """Everything that stands on a thing."""

    kind: Thing
    name: str
    sentence: str
    reports: tuple[UsedReport, ...]
    made_by: tuple[str, ...] = ()
    """Of an artifact: the records of the jobs that gave it."""
    batches: tuple[str, ...] = ()
    """Batches that were made from it; who reads them stands on it too."""

    def as_json(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        body = asdict(self)
        for told, report in zip(body["reports"], self.reports, strict=True):
            told["stands"] = report.stands
            for run in told["runs"]:
                at = run["finished_at"]
                run["finished_at"] = at.isoformat().replace("+00:00", "Z") if at else None
        return body
