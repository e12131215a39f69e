"""Making the result of one stage: reused when its key has one, executed otherwise."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.attempt import Attempt
from pipeline.keeping import Finished, keep, keep_tainted, make_record
from pipeline.laying import lay_inputs
from pipeline.notebooks import host_wanted
from pipeline.observation import observed_by
from pipeline.plan import Due, decide, stage_step
from pipeline.results import Results, TooManyResultsError, read_results
from pipeline.runner.client import RunnerStoppedError
from pipeline.runner.messages import Failure, Job, SqlJob
from pipeline.situation import Situation
from pipeline.stages.kinds import kind_of_stage
from pipeline.stages.kinds.base import Execution
from pipeline.step import Decision, Step
from pipeline.stored import StoredError, columns, keep_stored, rows
from pipeline.untrusted import UntrustedFileError, keep_regular, within
from pipeline.workplace import Workplace
from provenance.cache import Entry
from provenance.errors import UnavailableError
from provenance.record import Output

_SUFFIX = re.compile(r"\.\w{1,16}", re.ASCII)
_SUFFIXES = {"application/vnd.apache.parquet": ".parquet", "text/plain": ".txt", "text/csv": ".csv"}

_QUERY_GRACE = 10.0
"""Seconds that a source has to stop a query whose time is over, before its reader is killed."""


class StageFailedError(Exception):
    """Raised to leave the story of a run at the stage whose code failed."""

    def __init__(self, stage: str, failure: Failure) -> None:
        super().__init__(f"stage {stage}: {failure.message}")
        self.stage = stage
        self.failure = failure


class SourceUnavailableError(UnavailableError):
    """Raised where a source did not answer, or is not far enough yet: it may be, later."""

    def __init__(self, stage: str, failure: Failure) -> None:
        super().__init__(failure.message, failure.hint or "")
        self.code = failure.kind
        self.stage = stage


@dataclass(frozen=True)
class Made:
    """A job's result, and whether it had to be executed for it."""

    step: Step
    entry: Entry
    status: str
    reason: str | None
    sentence: str
    seconds: float


def make_stage(attempt: Attempt, situation: Situation, due: Due, made: Mapping[str, Entry]) -> Made:
    """Return the result of the stage that is due; *made* came before it.

    Of several workers that need the same key at once, one executes and the others wait for
    its result. Raises StageFailedError where the stage's own code comes to nothing.
    """
    cache, step = attempt.installation.cache, due.step
    started = time.monotonic()
    decision = decide(cache, situation, due)
    if decision.entry is None:
        attempt.expect(partial(host_wanted, situation))  # it gets ready while we wait for our turn
        attempt.tell(f"stage {step.name}")
        with cache.single_flight(step.key, attempt.check):
            # Somebody else may have made it while we waited for our turn.
            decision = decide(cache, situation, due)
            if decision.entry is None:
                return _execute(attempt, situation, step, made, decision)
    entry = decision.entry
    assert entry is not None  # noqa: S101
    return _told(attempt, Made(step, entry, "reused", None, decision.sentence, _since(started)))


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _told(attempt: Attempt, made: Made) -> Made:
    event = {
        "event": "stage",
        "stage": made.step.name,
        "status": made.status,
        "sentence": made.sentence,
        "seconds": made.seconds,
    }
    attempt.tell(f"stage {made.step.name}", event)
    return made


def _execute(
    attempt: Attempt,
    situation: Situation,
    step: Step,
    made: Mapping[str, Entry],
    decision: Decision,
) -> Made:
    began, started = datetime.now(UTC), time.monotonic()
    place = attempt.workplace(step.name)
    lay_inputs(attempt.installation.store, place, step.inputs)
    result = _perform(attempt, situation, step, place)
    if result["failure"] is not None:
        passing = SourceUnavailableError if result.get("again") else StageFailedError
        raise passing(step.name, Failure(**result["failure"]))
    outputs = tuple(_keep(attempt, step, place, output) for output in result["outputs"])
    _check_declared(step, outputs)
    extra = _extra(attempt, step, place, result)
    observed = observed_by(situation, step, place, began)
    record = make_record(attempt, situation, Finished(step, began, outputs, extra, observed))
    if observed.is_sure and stage_step(situation.as_now(), step.name, made).key == step.key:
        entry = keep(attempt, record, forced=decision.reason == "forced")
    else:
        entry = keep_tainted(attempt, record)
    done = Made(step, entry, "executed", decision.reason, decision.sentence, _since(started))
    return _told(attempt, done)


def _extra(
    attempt: Attempt, step: Step, place: Workplace, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the record says beside the outputs; the files of it are kept."""
    store = attempt.installation.store
    extra: dict[str, Any] = _results(step, place).as_json()
    extra |= {"queries": result.get("queries", [])}
    extra |= _stored(attempt, step, place) | _tables(result["outputs"])
    if notebook := result.get("notebook"):
        extra["notebook"] = keep_regular(store, Path(notebook)).sha256
    if printed := attempt.printed(step.name):
        extra["log"] = store.put_bytes(printed).sha256
    return extra


def _perform(
    attempt: Attempt, situation: Situation, step: Step, place: Workplace
) -> dict[str, Any]:
    """Let the runner execute the stage, within the time that the manifest grants it."""
    spec = situation.manifest.stage(step.name)
    job = kind_of_stage(spec).job(Execution(attempt.installation, situation, step, place))
    seconds = spec.timeout
    try:
        return attempt.perform(job, _patience(job, seconds))
    except RunnerStoppedError as stopped:
        attempt.check()  # it is the run that has to end, not this stage alone
        failure = Failure(stopped.reason, f"The stage took longer than {seconds} s.")
        raise StageFailedError(step.name, failure) from stopped


def _patience(job: Job, seconds: float | None) -> float | None:
    """Return how long to wait for the job: a query's end is its source's affair at first."""
    return seconds + _QUERY_GRACE if seconds and isinstance(job, SqlJob) else seconds


def _results(step: Step, place: Workplace) -> Results:
    try:
        return read_results(place.results)
    except (TooManyResultsError, UntrustedFileError) as error:
        failure = Failure("results", f"What the stage recorded cannot be kept: {error}.")
        raise StageFailedError(step.name, failure) from error


def _stored(attempt: Attempt, step: Step, place: Workplace) -> dict[str, Any]:
    try:
        return keep_stored(attempt.installation.store, place)
    except StoredError as error:
        raise StageFailedError(step.name, Failure("publish", str(error))) from error


def _tables(outputs: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows and columns of the outputs that the SDK wrote as tables."""
    tables = {
        str(output["name"]): {"rows": rows(output["rows"]), "columns": columns(output["columns"])}
        for output in outputs
        if isinstance(output.get("rows"), int)
    }
    return {"tables": tables} if tables else {}


def _keep(attempt: Attempt, step: Step, place: Workplace, output: Mapping[str, Any]) -> Output:
    """Keep one output; users' code said where it lies, so it must lie where outputs belong."""
    path = Path(output["path"])
    try:
        path = within(path, place.outputs)
        blob = keep_regular(attempt.installation.store, path)
        suffix = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    except (OSError, UntrustedFileError, UnicodeError) as error:
        failure = Failure("bad_output", f"Output {output['name']} cannot be kept: {error}.")
        raise StageFailedError(step.name, failure) from error
    media_type = str(output["media_type"])
    filename = f"{output['name']}{suffix or _SUFFIXES.get(media_type, '')}"
    return Output(str(output["name"]), blob.sha256, blob.size, media_type, filename)


def _check_declared(step: Step, outputs: tuple[Output, ...]) -> None:
    declared, left = set(step.preimage.outputs), {output.name for output in outputs}
    if declared and declared != left:
        failure = Failure(
            "outputs",
            f"Stage {step.name} left {', '.join(sorted(left))}; "
            f"the manifest says {', '.join(sorted(declared))}.",
            hint="Let the function return a dict with the names that `outputs` lists.",
        )
        raise StageFailedError(step.name, failure)
