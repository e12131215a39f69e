"""Making the result of one stage: reused when its key has one, executed otherwise."""

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.attempt import Attempt
from pipeline.containment import Workplace
from pipeline.environments import Environment
from pipeline.laying import lay_inputs
from pipeline.plan import decide, stage_step
from pipeline.results import Results, TooManyResultsError, read_results
from pipeline.runner.client import RunnerStoppedError
from pipeline.runner.messages import Failure
from pipeline.situation import Situation
from pipeline.stages.kinds import kind_of_stage
from pipeline.stages.kinds.base import Execution
from pipeline.step import Decision, InputFile, Step
from pipeline.untrusted import UntrustedFileError, keep_regular, within
from provenance.cache import Entry
from provenance.record import Output, Record, keep_record

_SUFFIX = re.compile(r"\.\w{1,16}", re.ASCII)
_SUFFIXES = {"application/vnd.apache.parquet": ".parquet", "text/plain": ".txt", "text/csv": ".csv"}


class StageFailedError(Exception):
    """Raised to leave the story of a run at the stage whose code failed."""

    def __init__(self, stage: str, failure: Failure) -> None:
        super().__init__(f"stage {stage}: {failure.message}")
        self.stage = stage
        self.failure = failure


@dataclass(frozen=True)
class Made:
    """A job's result, and whether it had to be executed for it."""

    step: Step
    entry: Entry
    status: str
    reason: str | None
    sentence: str
    seconds: float


def make_stage(
    attempt: Attempt,
    situation: Situation,
    step: Step,
    made: Mapping[str, Entry],
    previous: str | None,
    force: bool,
) -> Made:
    """Return the result of *step*, executing it if there is none; *made* came before it.

    Of several workers that need the same key at once, one executes and the others wait for
    its result. Raises StageFailedError where the stage's own code comes to nothing.
    """
    cache = attempt.installation.cache
    started = time.monotonic()
    decision = decide(cache, step, previous, force)
    if decision.entry is None:
        attempt.runner.start()  # it gets ready while we wait for our turn
        attempt.tell(f"stage {step.name}")
        with cache.single_flight(step.key, attempt.check):
            # Somebody else may have made it while we waited for our turn.
            decision = decide(cache, step, previous, force)
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
    lay_inputs(attempt.installation.cache, place, step.inputs)
    result = _perform(attempt, situation, step, place)
    if result["failure"] is not None:
        raise StageFailedError(step.name, Failure(**result["failure"]))
    outputs = tuple(_keep(attempt, step, place, output) for output in result["outputs"])
    _check_declared(step, outputs)
    extra: dict[str, Any] = _results(step, place).as_json()
    extra |= {"queries": result.get("queries", [])}
    if notebook := result.get("notebook"):
        extra["notebook"] = keep_regular(attempt.installation.store, Path(notebook)).sha256
    if printed := attempt.printed(step.name):
        extra["log"] = attempt.installation.store.put_bytes(printed).sha256
    record = make_record(attempt, situation, step, outputs, began, extra)
    if stage_step(situation, step.name, made).key != step.key:
        entry = keep_tainted(attempt, record)
    else:
        entry = attempt.installation.cache.commit(record, replace=decision.reason == "forced")
    done = Made(step, entry, "executed", decision.reason, decision.sentence, _since(started))
    return _told(attempt, done)


def _perform(
    attempt: Attempt, situation: Situation, step: Step, place: Workplace
) -> dict[str, Any]:
    """Let the runner execute the stage, within the time that the manifest grants it."""
    spec = situation.manifest.stage(step.name)
    job = kind_of_stage(spec).job(Execution(attempt.installation, situation, step, place))
    seconds = spec.timeout
    try:
        return attempt.perform(job, seconds)
    except RunnerStoppedError as stopped:
        attempt.check()  # it is the run that has to end, not this stage alone
        failure = Failure(stopped.reason, f"The stage took longer than {seconds} s.")
        raise StageFailedError(step.name, failure) from stopped


def _results(step: Step, place: Workplace) -> Results:
    try:
        return read_results(place.results)
    except (TooManyResultsError, UntrustedFileError) as error:
        failure = Failure("results", f"What the stage recorded cannot be kept: {error}.")
        raise StageFailedError(step.name, failure) from error


def keep_tainted(attempt: Attempt, record: Record) -> Entry:
    """Keep the record of a job whose code was edited while it ran, but for this run alone.

    Nobody knows which of the two it executed, so it must never stand for either.
    """
    tainted = replace(record, run={**record.run, "tainted": True})
    return Entry(tainted, keep_record(attempt.installation.store, tainted).sha256)


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


def make_record(
    attempt: Attempt,
    situation: Situation,
    step: Step,
    outputs: tuple[Output, ...],
    began: datetime,
    extra: Mapping[str, Any],
) -> Record:
    """Return the record of an execution that has just ended."""
    checkout = situation.checkout
    return Record(
        kind=step.preimage.kind,
        name=step.preimage.stage,
        key=step.key,
        preimage=step.preimage.to_json(),
        outputs=outputs,
        run=_told_of_run(attempt, began),
        code={
            "project": situation.manifest.name,
            "commit": checkout.commit.sha,
            "dirty": checkout.dirty,
            **step.code,
        },
        params={
            name: {**typed, "origin": situation.origins[name]}
            for name, typed in situation.typed(step.params).items()
        },
        inputs=tuple(_told_of_input(file) for file in step.inputs),
        environment=_told_of_environment(situation.environment),
        extra=extra,
    )


def _told_of_run(attempt: Attempt, began: datetime) -> dict[str, Any]:
    return {
        "id": attempt.claim.id,
        "attempt": attempt.claim.attempt,
        "started_at": began.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "host": socket.gethostname(),
    }


def _told_of_input(file: InputFile) -> dict[str, Any]:
    # The file's own name comes last: an output is called by its stage's name for it.
    producer = {"producer": file.producer, "producer_key": file.producer_key}
    return {**asdict(file.output), **producer, "name": file.full_name}


def _told_of_environment(environment: Environment) -> dict[str, Any]:
    facts = environment.facts
    return {
        "key": environment.key,
        "python": facts.python,
        "platform": facts.platform,
        "packages": {dist.name: dist.version for dist in facts.distributions},
        "seeds": {"PYTHONHASHSEED": "0"},
    }
