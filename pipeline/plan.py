"""The plan: for each job of a run its key, whether that was made before, and if not, why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.manifest_parts.data import DataInput
from pipeline.manifest_parts.models import split_reference
from pipeline.notebooks import notebook_definition
from pipeline.situation import Situation
from pipeline.stages.kinds import kind_of_stage
from pipeline.step import REPORT, Decision, InputFile, Step
from provenance.cache import Cache, Entry
from provenance.errors import InvalidInputError
from provenance.identity.key import Preimage, why
from provenance.identity.observed import current_digest
from provenance.nearest import listed
from provenance.record import Output

Previous = Callable[[], str | None]
"""Tells the key that a job had before; asked only where a reason has to be given."""


@dataclass(frozen=True)
class Due:
    """A step whose turn has come."""

    step: Step
    previous: Previous
    force: bool = False
    """Whether it is to be executed, whatever there is already."""


class UnknownOutputError(InvalidInputError):
    """Raised when an input names an output that its stage did not leave."""

    code = "unknown_output"


def stage_step(situation: Situation, stage: str, made: Mapping[str, Entry]) -> Step:
    """Return the step of *stage*; *made* are the results of all stages before it."""
    spec = situation.manifest.stage(stage)
    kind = kind_of_stage(spec)
    inputs = tuple(_input_files(situation, stage, spec.inputs, made))
    params = situation.stage_params(stage)
    definition = kind.define(situation, stage)
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
    inputs = tuple(_input_files(situation, REPORT, situation.spec.inputs, made))
    definition = notebook_definition(situation, situation.template, situation.spec.kernel)
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


def decide(cache: Cache, situation: Situation, due: Due) -> Decision:
    """Say whether the step is reused, and if not, why."""
    step = due.step
    if due.force:
        return Decision(None, "forced", "forced: asked to run afresh")
    current = current_digest(situation.checkout.root)
    entry = cache.lookup(step.key, current)
    if entry is not None:
        made_at = str(entry.record.run.get("started_at", ""))[:19].replace("T", " ")
        return Decision(entry, None, f"unchanged since {made_at} UTC")
    if known := cache.recorded(step.key):
        changed = [path for path, was in known.record.observed.items() if current(path) != was]
        if changed:
            return Decision(None, "code", f"code: {listed(changed)} changed (opened, not declared)")
        return Decision(None, "missing", "missing: its result is no longer in the store")
    key = due.previous()
    before = cache.recorded(key) if key else None
    reason = why(_preimage_of(before), step.preimage)
    if reason.code == "same":
        return Decision(None, "new", "new: it has no result yet")
    return Decision(None, reason.code, "; ".join([reason.sentence, *_batches(before, step)]))


def _batches(before: Entry | None, step: Step) -> Iterator[str]:
    """Yield which batches are other ones than those that the job was given before."""
    known = {str(one.get("name")): one for one in before.record.inputs} if before else {}
    for file in step.inputs:
        old = known.get(file.full_name, {})
        if file.batch is None or not old or old.get("sha256") == file.output.sha256:
            continue
        number = old.get("number") if old.get("partition") == file.batch.partition else None
        was = f", was {number}" if number is not None else ""
        yield f"{file.full_name} is {file.batch.title}{was}"


def _preimage_of(before: Entry | None) -> Preimage | None:
    """Return the preimage that was recorded; None where there is none that we understand."""
    try:
        return Preimage.from_json(before.record.preimage) if before else None
    except InvalidInputError:
        return None  # written by another version: then it is as if it had not been made


def _input_files(
    situation: Situation,
    job: str,
    references: Mapping[str, str | DataInput],
    made: Mapping[str, Entry],
) -> Iterator[InputFile]:
    for name, reference in references.items():
        if isinstance(reference, DataInput):
            yield from situation.data[job, name]
            continue
        stage, part = split_reference(reference)
        entry = made[stage]
        made_by = (stage, entry.record.key, entry.record_id)
        outputs = entry.record.outputs
        if part is not None:
            yield InputFile(name, None, _named_output(entry, stage, part), *made_by)
        elif len(outputs) == 1:
            yield InputFile(name, None, outputs[0], *made_by)
        else:
            yield from (InputFile(name, output.name, output, *made_by) for output in outputs)


def _named_output(entry: Entry, stage: str, part: str) -> Output:
    found = entry.record.output(part)
    if found is None:
        names = ", ".join(output.name for output in entry.record.outputs)
        raise UnknownOutputError(f"Stage {stage} left no output {part!r}; it left: {names}.")
    return found
