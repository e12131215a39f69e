"""Putting a run beside its reproduction: what is compared, in which order, and what is said."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.attempt import Attempt
from pipeline.reproduction.answer import (
    Answer,
    Counts,
    Finding,
    Grade,
    answer,
    cannot,
)
from pipeline.reproduction.closeness import Measure, compare_texts, relative_difference
from pipeline.reproduction.normal import Window
from pipeline.reproduction.original import THEIR_DOING, Original
from pipeline.runner.client import RunnerDiedError, RunnerFailedError, RunnerStoppedError
from pipeline.runner.messages import CompareJob, Failure
from provenance.ledger.states import Verdict
from provenance.record import Output, Record
from provenance.store import CorruptObjectError, MissingObjectError

if TYPE_CHECKING:
    from pipeline.publish import Outcome

_SECONDS = 600.0
_EPOCH = "1970-01-01T00:00:00+00:00"
_FILE = "file:"
_LONGEST = 300


@dataclass
class _Files:
    """What the runner is to look into, and what is known without looking."""

    wanted: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def judge(attempt: Attempt, original: Original, outcome: "Outcome") -> Answer:
    """Return how near *outcome* is to what the original run gave."""
    failure, tolerance = outcome.failure, attempt.asked.tolerance
    if failure is not None and failure.kind not in THEIR_DOING:
        return cannot(_because(failure), failure.hint or "")
    if outcome.report is None or original.story.report is None:
        return _compare_ends(original, outcome, tolerance)
    attempt.tell("comparing")
    try:
        return _compare(attempt, original, outcome, tolerance)
    except (MissingObjectError, CorruptObjectError) as error:
        return cannot(f"the notebook to compare with is lost: {error.message}")
    except (RunnerStoppedError, RunnerDiedError, RunnerFailedError) as error:
        if getattr(error, "reason", None) == Verdict.WORKER_LOST:
            raise
        return cannot(f"the comparison came to nothing: {error.message[-300:]}")


def _because(failure: Failure) -> str:
    if failure.kind == "cannot_reproduce":
        return failure.message
    if failure.kind == Verdict.CANCELLED:
        return "the attempt was cancelled"
    return f"{failure.message[:1].lower()}{failure.message[1:]}"


def _compare_ends(original: Original, outcome: "Outcome", tolerance: float) -> Answer:
    """Compare two runs of which at least one came to no report."""
    before, now, stage = original.story.run.error or {}, outcome.failure, outcome.failed_stage
    where = f"stage {stage}" if stage else "the report"
    counts, was = Counts(stages=len(outcome.made)), _short(str(before.get("message", "")))
    if now is None:
        said = f"it came to a report, where the original ended with {was}"
        return answer([Finding("the end", Grade.DIFFERS, said)], [], counts, tolerance)
    said = (
        f"it ends with {_short(now.message)}{f', was {was}' if before else ', and did not before'}"
    )
    if (before.get("stage"), before.get("kind")) != (stage, now.kind):
        return answer([Finding(where, Grade.DIFFERS, said)], [], counts, tolerance)
    measure = _whole_measure(original, tolerance)
    near = compare_texts(str(before.get("message", "")), now.message, measure)
    if near.grade == Grade.IDENTICAL:
        details = answer([], [], counts, tolerance).details
        told = f"Identical: it ends with the same error, {_short(now.message)}."
        return Answer(Grade.IDENTICAL, told, details)
    return answer([Finding(where, near.grade, said, near.relative)], [], counts, tolerance)


def _short(message: str) -> str:
    message = message.rstrip(".")
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


def _compare(attempt: Attempt, original: Original, outcome: "Outcome", tolerance: float) -> Answer:
    place = attempt.workplace("compare")
    files = _Files()
    for old, new, where in _pairs(original, outcome):
        _compare_outputs(attempt, place.root, files, (old, new, where))
    job = CompareJob(
        workplace=str(place.root),
        files=tuple(files.wanted),
        notebooks=_notebooks(attempt, place.root, original, outcome),
        tolerance=tolerance,
    )
    found = attempt.perform(job, _SECONDS)
    looked = [Finding(**{**one, "grade": Grade(one["grade"])}) for one in found["findings"]]
    measure = _whole_measure(original, tolerance)
    findings = [*files.findings, *looked, *_metrics(original, outcome, tolerance)]
    findings += _checks(original, outcome, measure)
    counts = Counts(stages=len(outcome.made), cells=int(found["cells"]))
    findings = _in_order(findings, outcome)
    return answer(findings, found["aside"], counts, tolerance, found["other_bytes"])


def _in_order(findings: list[Finding], outcome: "Outcome") -> list[Finding]:
    """Return *findings* in the order in which the run came to them."""
    stages = [f"stage {one.step.name}" for one in outcome.made]
    kinds = ("cell ", "file ", "metric ", "checks")

    def place(finding: Finding) -> tuple[int, int]:
        if finding.where in stages:
            return 0, stages.index(finding.where)
        kind = next((n for n, kind in enumerate(kinds) if finding.where.startswith(kind)), 9)
        number = finding.where.removeprefix("cell ")
        return kind + 1, int(number) if number.isdigit() else 0

    return sorted(findings, key=place)


def _pairs(original: Original, outcome: "Outcome") -> Iterator[tuple[Record, Record, str]]:
    for one in outcome.made:
        job = original.story.by_name.get(one.step.name)
        if job is not None and job.record is not None:
            yield job.record, one.entry.record, f"stage {one.step.name}"
    if outcome.report is not None and original.story.report is not None:
        yield original.story.report, outcome.report.entry.record, ""


def _compare_outputs(
    attempt: Attempt, root: Path, files: _Files, pair: tuple[Record, Record, str]
) -> None:
    """Note which outputs of a job have other bytes, and lay them out to be looked into."""
    old, new, stage = pair
    before, after = (_outputs(record, stage) for record in (old, new))
    for name in dict.fromkeys([*before, *after]):
        where = stage or f"file {name}"
        if name not in before or name not in after:
            said = (
                f"it leaves {name}, and did not before" if name in after else f"no {name} is left"
            )
            files.findings.append(Finding(where, Grade.DIFFERS, said))
        elif before[name].sha256 != after[name].sha256:
            windows = {"before": _window(old), "after": _window(new)}
            told = {"where": where, "name": name if stage else "", "windows": windows}
            _lay(attempt, root, files, told, (before[name], after[name]))


def _outputs(record: Record, stage: str) -> dict[str, Output]:
    """Return the outputs by name; of the report only the files that its cells left."""
    if stage:
        return {output.name: output for output in record.outputs}
    return {
        output.name.removeprefix(_FILE): output
        for output in record.outputs
        if output.name.startswith(_FILE)
    }


def _lay(
    attempt: Attempt, root: Path, files: _Files, told: dict[str, Any], pair: tuple[Output, Output]
) -> None:
    number = len(files.wanted)
    paths = [root / f"{side}-{number}" for side in ("before", "after")]
    try:
        for output, path in zip(pair, paths, strict=True):
            attempt.installation.store.copy_out(output.sha256, path)
    except (MissingObjectError, CorruptObjectError):
        what = f"{told['name']} with other bytes" if told["name"] else "other bytes"
        said = f"it gives {what}; those from before are no longer kept to look into"
        files.findings.append(Finding(told["where"], Grade.DIFFERS, said))
        return
    media = {"media_type": pair[1].media_type}
    files.wanted.append({**told, **media, "before": str(paths[0]), "after": str(paths[1])})


def _notebooks(
    attempt: Attempt, root: Path, original: Original, outcome: "Outcome"
) -> dict[str, Any] | None:
    """Lay out both executed notebooks; None where a run came to no cell."""
    report, before = outcome.report, original.notebook
    executed = report.page.output("notebook") if report else None
    if report is None or executed is None or before is None or original.story.report is None:
        return None
    paths = {side: root / f"{side}.ipynb" for side in ("before", "after")}
    attempt.installation.store.copy_out(before, paths["before"])
    attempt.installation.store.copy_out(executed.sha256, paths["after"])
    windows = {"before": _window(original.story.report), "after": _window(report.entry.record)}
    return {"windows": windows, **{side: str(path) for side, path in paths.items()}}


def _window(record: Record) -> tuple[str, str]:
    run = record.run
    return str(run.get("started_at") or _EPOCH), str(run.get("finished_at") or _EPOCH)


def _whole_measure(original: Original, tolerance: float) -> Measure:
    now, run = datetime.now(UTC), original.story.run
    begin = run.started_at or run.created_at
    return Measure(Window(begin, run.finished_at or begin), Window(begin, now), tolerance)


def _metrics(original: Original, outcome: "Outcome", tolerance: float) -> Iterator[Finding]:
    assert outcome.report is not None  # noqa: S101
    before = {metric.name: metric.value for metric in original.story.metrics}
    after = {metric.name: metric.value for metric in outcome.report.results.metrics}
    for name in dict.fromkeys([*before, *after]):
        where = f"metric {name}"
        if name not in before or name not in after:
            said = "it is new" if name in after else "it is not recorded any more"
            yield Finding(where, Grade.DIFFERS, said)
        elif before[name] != after[name]:
            yield from _moved(where, before[name], after[name], tolerance)


def _moved(
    where: str, before: float | None, after: float | None, tolerance: float
) -> Iterator[Finding]:
    said = f"it is {after!r}, was {before!r}"
    if before is None or after is None:
        yield Finding(where, Grade.DIFFERS, said)
        return
    relative = relative_difference(before, after)
    if relative:
        grade = Grade.WITHIN_TOLERANCE if relative <= tolerance else Grade.DIFFERS
        yield Finding(where, grade, said, relative, repr(before), repr(after))


def _checks(original: Original, outcome: "Outcome", measure: Measure) -> Iterator[Finding]:
    assert outcome.report is not None  # noqa: S101
    before = [(ok, message) for ok, message in original.story.checks]
    after = [(check.ok, check.message) for check in outcome.report.results.checks]
    near = compare_texts(_lines(before), _lines(after), measure)
    if near.grade != Grade.IDENTICAL:
        said = f"they say {near.after or 'nothing'}, was {near.before or 'nothing'}"
        yield Finding("checks", near.grade, said, near.relative, near.before, near.after)


def _lines(checks: list[tuple[bool, str]]) -> str:
    return "\n".join(f"{'passed' if ok else 'failed'}: {message}" for ok, message in checks)
