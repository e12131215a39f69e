"""The plan: for each job of a run its key, whether that was made before, and if not, why."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.magics import plain_python
from pipeline.manifest_parts.models import RESERVED, split_reference
from pipeline.situation import SEARCH, Situation
from pipeline.stages.signature import read_signature
from provenance.cache import Cache, Entry
from provenance.errors import InvalidInputError
from provenance.identity.canonical import digest
from provenance.identity.closure import Closure, python_closure, source_closure
from provenance.identity.environment import keyed_environment
from provenance.identity.key import Preimage, why
from provenance.record import Output

REPORT = RESERVED
_TABLE_FORMAT = {"format": "parquet-zstd:1"}
"""What stands for the environment of SQL stages, which run in ours: the form of their result."""
_SDK_FORMAT = 1
"""To be raised when the SDK writes the same result in other bytes, or reads it differently."""


class UnknownOutputError(InvalidInputError):
    """Raised when an input names an output that its stage did not leave."""

    code = "unknown_output"


@dataclass(frozen=True)
class InputFile:
    """A file that a job is given: an output of an earlier one."""

    name: str
    part: str | None
    """Name of the output, where the input is all outputs of a stage that has several."""
    output: Output
    producer: str
    producer_key: str

    @property
    def full_name(self) -> str:
        """The input's name; with the output's where there are several."""
        return f"{self.name}.{self.part}" if self.part else self.name


@dataclass(frozen=True)
class Step:
    """A job, known well enough to look it up or to execute it."""

    name: str
    """The stage's name; for the report itself ``report``."""
    preimage: Preimage
    inputs: tuple[InputFile, ...]
    params: Mapping[str, Any]
    code: Mapping[str, Any]
    """What the record says of the code: entry, files, closure, open sites."""
    text: str = ""
    """The query of an SQL stage, read once: what is keyed is what is executed."""

    @property
    def key(self) -> str:
        """The job's key."""
        return self.preimage.key


@dataclass(frozen=True)
class Decision:
    """What is to happen with a step: an entry to reuse, or the reason to execute it."""

    entry: Entry | None
    reason: str | None
    sentence: str


def stage_step(situation: Situation, stage: str, made: Mapping[str, Entry]) -> Step:
    """Return the step of *stage*; *made* are the results of all stages before it."""
    spec = situation.manifest.stage(stage)
    text = ""
    inputs = tuple(_input_files(spec.inputs, made))
    params = situation.stage_params(stage)
    if spec.sql is not None:
        text = situation.checkout.tree.read(spec.sql).decode("utf-8-sig")
        keyed, told = _sql_code(situation, stage, text)
        environment: dict[str, object] = dict(_TABLE_FORMAT)
        kind = "sql"
    else:
        assert spec.python is not None  # noqa: S101 - the manifest allows these two kinds
        closure = _python_closure(situation, spec.python)
        keyed, told = _closure_code(closure, {"entry": spec.python})
        environment = _environment(situation, closure)
        kind = "python"
    preimage = Preimage(
        kind=kind,
        stage=stage,
        code=keyed,
        params=params,
        inputs={file.full_name: file.output.sha256 for file in inputs},
        outputs=tuple(spec.outputs or ()),
        environment=environment,
    )
    return Step(stage, preimage, inputs, params, told, text)


def report_step(situation: Situation, made: Mapping[str, Entry]) -> Step:
    """Return the step that executes the template; *made* are the results of all stages."""
    template = situation.template
    inputs = tuple(_input_files(situation.spec.inputs, made))
    sources = [
        (f"{template.path}#{number}", plain_python(cell.source))
        for number, cell in enumerate(template.cells, start=1)
        if cell.kind == "code"
    ]
    checkout = situation.checkout
    search = situation.template_search
    closure = source_closure(checkout.root, checkout.tree.files, sources, search)
    # Tags count: one may let a cell fail, another keep it from being executed.
    cells = [digest("cell", [cell.kind, list(cell.tags), cell.source]) for cell in template.cells]
    keyed, told = _closure_code(closure, {"cells": cells, "kernel": "python3"})
    params = situation.template_params()
    preimage = Preimage(
        kind=REPORT,
        stage=situation.report,
        code=keyed,
        params=params,
        inputs={file.full_name: file.output.sha256 for file in inputs},
        outputs=(),
        environment=_environment(situation, closure, "IPython"),
    )
    return Step(REPORT, preimage, inputs, params, {"template": template.path, **told})


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


def _python_closure(situation: Situation, entry: str) -> Closure:
    checkout = situation.checkout
    path = read_signature(checkout.tree, entry).path
    return python_closure(checkout.root, checkout.tree.files, path, SEARCH)


def _closure_code(
    closure: Closure, start: dict[str, object]
) -> tuple[dict[str, object], dict[str, Any]]:
    """Return what of the closure goes into the key, and what the record tells of it."""
    keyed = {**start, "files": {_readable(file.path): file.semantic for file in closure.files}}
    told = {
        **start,
        "closure": "open" if closure.open_sites else "closed",
        "files": [{**vars(file), "path": _readable(file.path)} for file in closure.files],
        "open_sites": [vars(site) for site in closure.open_sites],
        "imports": sorted(closure.imports),
    }
    return keyed, told


def _readable(path: str) -> str:
    """Return a path as text that can be written; bytes that are no UTF-8 as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _sql_code(
    situation: Situation, stage: str, text: str
) -> tuple[dict[str, object], dict[str, Any]]:
    """Return what of a query goes into the key, and what the record tells of it.

    A source is known by its name and by the variable that holds its address; the address
    itself is a secret.
    """
    spec = situation.manifest.stage(stage)
    source = str(spec.source)
    told = hashlib.sha256(text.encode()).hexdigest()
    variable = situation.manifest.sources[source].url_env
    keyed: dict[str, object] = {"text": told, "source": source, "address": variable}
    files = [{"path": spec.sql, "exact": told, "semantic": told}]
    return keyed, {**keyed, "files": files}


def _environment(situation: Situation, closure: Closure, *more: str) -> dict[str, object]:
    """Return the part of the environment that code with this closure can see.

    Frames are written by pyarrow, which code that uses pandas need not name.
    """
    imports = closure.imports | ({"pyarrow"} if "pandas" in closure.imports else set())
    facts = situation.environment.facts
    everything = bool(closure.open_sites)
    keyed = keyed_environment(facts, frozenset(imports | set(more)), everything=everything)
    return {**keyed, "sdk": _SDK_FORMAT}
