"""Laying out what a job is given: copies of its inputs, and what the SDK is told of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.containment import Workplace
from pipeline.step import InputFile, Step
from provenance.cache import Cache
from provenance.record import SIDECAR_SUFFIX, Output, sidecar

if TYPE_CHECKING:
    from pipeline.situation import Situation


def input_path(place: Workplace, file: InputFile) -> Path:
    """Return where an input is laid in a workplace."""
    return place.inputs / f"{file.full_name}{Path(file.output.filename).suffix}"


def lay_inputs(cache: Cache, place: Workplace, inputs: tuple[InputFile, ...]) -> None:
    """Lay copies of the inputs into the workplace, each with its sidecar beside it."""
    for file in inputs:
        lay_output(cache, file.producer_key, file.output, input_path(place, file))


def lay_output(cache: Cache, key: str, output: Output, target: Path) -> None:
    """Copy one output to *target*, and beside it the sidecar that says how it came to be."""
    cache.store.copy_out(output.sha256, target)
    entry = cache.recorded(key)
    if entry is not None:
        told = sidecar(entry.record, entry.record_id, output)
        target.with_name(target.name + SIDECAR_SUFFIX).write_bytes(told)


def sdk_context(situation: "Situation", step: Step, place: Workplace) -> dict[str, Any]:
    """Return what the SDK is told beside users' code."""
    inputs: dict[str, Any] = {}
    for file in step.inputs:
        told = {
            "path": str(input_path(place, file)),
            "media_type": file.output.media_type,
            "sha256": file.output.sha256,
        }
        if file.part is None:
            inputs[file.name] = told
        else:
            inputs.setdefault(file.name, {"outputs": {}})["outputs"][file.part] = told
    return {
        "schema": 1,
        "name": step.name,
        "inputs": inputs,
        "params": situation.typed(step.params),
        "output_dir": str(place.outputs),
        "results": str(place.results),
    }
