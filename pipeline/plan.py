"""The plan: for each job of a run its key, whether that was made before, and if not, why."""

from collections.abc import Iterator, Mapping

from pipeline.manifest_parts.models import split_reference
from pipeline.notebooks import notebook_definition
from pipeline.situation import Situation
from pipeline.stages.kinds import kind_of_stage
from pipeline.step import REPORT, Decision, InputFile, Step
from provenance.cache import Cache, Entry
from provenance.errors import InvalidInputError
from provenance.identity.key import Preimage, why
from provenance.record import Output


class UnknownOutputError(InvalidInputError):
    """Raised when an input names an output that its stage did not leave."""

    code = "unknown_output"


def stage_step(situation: Situation, stage: str, made: Mapping[str, Entry]) -> Step:
    """Return the step of *stage*; *made* are the results of all stages before it."""
    spec = situation.manifest.stage(stage)
    kind = kind_of_stage(spec)
    inputs = tuple(_input_files(spec.inputs, made))
    params = situation.stage_params(stage)
    definition = kind.define(situation, stage, params)
    preimage = Preimage(
        kind=kind.name,
        stage=stage,
        code=definition.keyed,
        params=params,
        inputs={file.full_name: file.output.sha256 for file in inputs},
        outputs=tuple(spec.outputs or ()),
        environment=definition.environment,
    )
    return Step(stage, preimage, inputs, params, definition)


def report_step(situation: Situation, made: Mapping[str, Entry]) -> Step:
    """Return the step that executes the template; *made* are the results of all stages."""
    inputs = tuple(_input_files(situation.spec.inputs, made))
    definition = notebook_definition(situation, situation.template)
    params = situation.template_params()
    preimage = Preimage(
        kind=REPORT,
        stage=situation.report,
        code=definition.keyed,
        params=params,
        inputs={file.full_name: file.output.sha256 for file in inputs},
        outputs=(),
        environment=definition.environment,
    )
    return Step(REPORT, preimage, inputs, params, definition)


def decide(cache: Cache, step: Step, previous: str | None, force: bool) -> Decision:
    """Say whether *step* is reused; *previous* is the key that it had the last time."""
    if force:
        return Decision(None, "forced", "forced: asked to run afresh")
    entry = cache.lookup(step.key)
    if entry is not None:
        made_at = str(entry.record.run.get("started_at", ""))[:19].replace("T", " ")
        return Decision(entry, None, f"unchanged since {made_at} UTC")
    if cache.recorded(step.key) is not None:
        return Decision(None, "missing", "missing: its result is no longer in the store")
    reason = why(_preimage_of(cache, previous), step.preimage)
    if reason.code == "same":
        return Decision(None, "new", "new: it has no result yet")
    return Decision(None, reason.code, reason.sentence)


def _preimage_of(cache: Cache, key: str | None) -> Preimage | None:
    """Return the preimage recorded for *key*; None where there is none that we understand."""
    before = cache.recorded(key) if key else None
    try:
        return Preimage.from_json(before.record.preimage) if before else None
    except InvalidInputError:
        return None  # written by another version: then it is as if it had not been made


def _input_files(references: Mapping[str, str], made: Mapping[str, Entry]) -> Iterator[InputFile]:
    for name, reference in references.items():
        stage, part = split_reference(reference)
        entry = made[stage]
        key, outputs = entry.record.key, entry.record.outputs
        if part is not None:
            yield InputFile(name, None, _named_output(entry, stage, part), stage, key)
        elif len(outputs) == 1:
            yield InputFile(name, None, outputs[0], stage, key)
        else:
            yield from (InputFile(name, output.name, output, stage, key) for output in outputs)


def _named_output(entry: Entry, stage: str, part: str) -> Output:
    found = entry.record.output(part)
    if found is None:
        names = ", ".join(output.name for output in entry.record.outputs)
        raise UnknownOutputError(f"Stage {stage} left no output {part!r}; it left: {names}.")
    return found
