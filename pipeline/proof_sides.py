"""What a report came to, in a warm kernel and in cold ones, and where two of these differ."""

import filecmp
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.attempt import Attempt
from pipeline.kernels.wanted import WARM
from pipeline.pages import MEDIA, NOTEBOOK
from pipeline.proof_place import ProofPlace
from pipeline.report import EXECUTED
from pipeline.reporting import Executed, Reported, report_job
from pipeline.reproduction.answer import Finding, Grade
from pipeline.results import Results, TooManyResultsError, read_results, results_from_json
from pipeline.runner.client import RunnerDiedError
from pipeline.runner.messages import CompareJob, Failure
from pipeline.stored import PRIVATE
from pipeline.untrusted import UntrustedFileError
from pipeline.workplace import Workplace
from provenance.errors import ProvenoteError

REPEATABLE = frozenset({"exception", "exit"})
"""Kinds of failure in which a cold kernel has to end where a warm one did."""
_FILE = "file:"
_RESULTS = "metrics and checks"
Findings = dict[str, Finding]
"""What differs, by the place where it does; ``before`` is what the first of the two gave."""


class DroppedError(ProvenoteError):
    """Raised when an execution came to nothing that could be compared."""

    code = "proof_dropped"


@dataclass(frozen=True)
class Side:
    """What one execution of the report came to, and when it took place."""

    notebook: Path
    files: Mapping[str, Path]
    """What the cells left, by name."""
    results: Path
    window: tuple[str, str]


class Sides:
    """Executes a report that is published again and again, and compares."""

    def __init__(self, attempt: Attempt, report: Reported, place: ProofPlace) -> None:
        self._attempt = attempt
        self._report = report
        self._place = place

    def published(self) -> Side:
        """Return what is published."""
        store, record = self._attempt.installation.store, self._report.entry.record
        place = self._place.workplace("published")
        executed = record.output(NOTEBOOK)
        if executed is None:
            raise DroppedError("no cell was executed")
        store.copy_out(executed.sha256, place.ours / EXECUTED)
        files: dict[str, Path] = {}
        for number, output in enumerate(record.outputs):
            if output.name.startswith(_FILE):
                path = place.outputs / f"{number}{Path(output.filename).suffix}"
                store.copy_out(output.sha256, path)
                files[output.name.removeprefix(_FILE)] = path
        results = results_from_json(dict(record.extra))
        told = _results(place, results, self._report.failure)
        window = str(record.run["started_at"]), str(record.run["finished_at"])
        return Side(place.ours / EXECUTED, files, told, window)

    def cold(self) -> Side:
        """Execute the report in a kernel that is started for it."""
        return self._executed(warm=False)

    def warm(self) -> Side:
        """Execute the report in another kernel like the one that made what is published."""
        return self._executed(warm=True)

    def differences(self, one: Side, other: Side) -> Findings:
        """Return where the two differ by more than times, ids and rounding."""
        place = self._place.workplace("compare")
        windows = {"before": one.window, "after": other.window}
        paths = {"before": str(one.notebook), "after": str(other.notebook)}
        job = CompareJob(
            workplace=str(place.root),
            files=tuple({**told, "windows": windows} for told in _other_bytes(one, other)),
            notebooks={"windows": windows, **paths},
            tolerance=self._attempt.asked.tolerance,
        )
        told = self._attempt.repeat(job)["findings"]
        looked = [Finding(**{**found, "grade": Grade(found["grade"])}) for found in told]
        found = [*looked, *_missing(one, other)]
        return {one.where: one for one in found if one.grade == Grade.DIFFERS}

    def _executed(self, *, warm: bool) -> Side:
        executed = self._report.executed
        assert executed is not None  # noqa: S101 - what is reused is not proved
        # The same name as the attempt's own: it is part of paths that cells may print.
        place, began = self._place.workplace("report"), datetime.now(UTC)
        result = self._result(executed, place, warm=warm)
        failure = Failure(**result["failure"]) if result["failure"] else None
        if failure is not None and failure.kind not in REPEATABLE:
            raise DroppedError(failure.message)
        if (result["kernel"] == WARM) is not warm or not _is_file(place.ours / EXECUTED):
            raise DroppedError("no such kernel could be had")
        try:
            told = _results(place, read_results(place.results), failure)
        except (TooManyResultsError, UntrustedFileError) as error:
            raise DroppedError(str(error)) from error
        window = began.isoformat(), datetime.now(UTC).isoformat()
        return Side(place.ours / EXECUTED, dict(_files(place)), told, window)

    def _result(self, executed: Executed, place: Workplace, *, warm: bool) -> dict[str, Any]:
        installation = self._attempt.installation
        job = report_job(installation, executed.situation, self._report.step, place)
        try:
            return self._attempt.repeat(job if warm else replace(job, host=None))
        except RunnerDiedError as died:
            raise DroppedError(died.message) from died


def _results(place: Workplace, results: Results, failure: Failure | None) -> Path:
    """Write what was recorded, and what stopped the cells, a line each, to be compared."""
    lines = [f"metric {one.name}: {one.value!r} {one.unit or ''}" for one in results.metrics]
    lines += [f"{'passed' if one.ok else 'failed'}: {one.message}" for one in results.checks]
    lines += [f"{failure.kind}: {failure.message}"] if failure else []
    path = place.root / "compared.txt"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    return path


def _files(place: Workplace) -> Iterator[tuple[str, Path]]:
    """Yield the files that the cells left; a link is none."""
    for path in sorted(place.outputs.rglob("*")):
        name = str(path.relative_to(place.outputs))
        if not name.startswith(f"{PRIVATE}/") and _is_file(path) and name.isprintable():
            yield name, path


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _other_bytes(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    """Yield the pairs of files that have to be looked into."""
    pairs = [(name, path, other.files.get(name)) for name, path in one.files.items()]
    for name, before, after in [*pairs, ("", one.results, other.results)]:
        if after is None or filecmp.cmp(before, after, shallow=False):
            continue
        where = f"file {name}" if name else _RESULTS
        media = MEDIA.get(before.suffix, "application/octet-stream") if name else "text/plain"
        paths = {"before": str(before), "after": str(after)}
        yield {"where": where, "name": "", "media_type": media, **paths}


def _missing(one: Side, other: Side) -> Iterator[Finding]:
    for name in sorted(one.files.keys() ^ other.files.keys()):
        said = "it leaves no such file" if name in one.files else "it leaves such a file"
        yield Finding(f"file {name}", Grade.DIFFERS, said)
