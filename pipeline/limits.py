"""What one job may use: what its project asks for, within what the operator grants."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.containment import TreeLimits
from pipeline.installation import Limits
from pipeline.manifest_parts.limits import LimitsSpec
from pipeline.manifest_parts.models import Manifest, ReportSpec, StageSpec
from pipeline.workplace import Workplace
from provenance.sizes import told_size


@dataclass(frozen=True)
class Granted:
    """The limits that hold for one job."""

    memory: int
    """Bytes of memory, of all its processes together."""
    processes: int
    disk: int
    """Bytes by which its workplace may grow."""
    open_files: int
    """Files that each process may have open."""
    output: int
    """Bytes that it may print or show; what comes after is left out."""
    cell_seconds: float

    def tree(self, place: Workplace) -> TreeLimits:
        """Return the same for the supervisor of what runs in *place*."""
        return TreeLimits(
            memory=self.memory,
            processes=self.processes,
            disk=self.disk,
            disk_root=str(place.root),
            open_files=self.open_files,
            file_bytes=self.disk,
        )


def granted(operator: Limits, manifest: Manifest, spec: StageSpec | ReportSpec) -> Granted:
    """Return what holds for the stage or report *spec*; the operator's bound is never exceeded."""
    bounds = _bounds(operator)
    asked = _asked(manifest, spec)
    held = {name: min(bound, asked.get(name, bound)) for name, bound in bounds.items()}
    return Granted(**held, open_files=operator.open_files)  # type: ignore[arg-type]


def cut_to_bounds(operator: Limits, manifest: Manifest, report: str) -> Iterator[str]:
    """Yield a sentence for each limit that *report* or its stages ask for and do not get."""
    jobs: dict[str, StageSpec | ReportSpec] = {
        f"Stage {name}": manifest.stage(name) for name in manifest.upstream(report)
    }
    jobs[f"Report {report}"] = manifest.report(report)
    for who, spec in jobs.items():
        for name, wanted in _asked(manifest, spec).items():
            bound = _bounds(operator)[name]
            if wanted > bound:
                asked, allowed = _told(name, wanted), _told(name, bound)
                yield f"{who} asks for {asked} as {name}; the operator allows {allowed}."


def _bounds(operator: Limits) -> dict[str, float]:
    return {name: getattr(operator, name) for name in LimitsSpec.model_fields}


def _asked(manifest: Manifest, spec: StageSpec | ReportSpec) -> dict[str, float]:
    """Return what is asked for: of the project, and over that of the job itself."""
    own = spec.limits.model_dump(exclude_none=True)
    return {**manifest.limits.model_dump(exclude_none=True), **own}


def _told(name: str, value: float) -> str:
    if name in LimitsSpec.SIZES:
        return told_size(int(value))
    return f"{value:g} s" if name == "cell_seconds" else f"{value:g}"
