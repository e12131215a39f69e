"""Laying out what a job is given: copies of its inputs, and what the SDK is told of them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.step import REPORT, BatchFacts, InputFile, Step
from pipeline.workplace import Workplace
from provenance.record import SIDECAR_SUFFIX, Output, read_record, sidecar
from provenance.store import Store

if TYPE_CHECKING:
    from pipeline.situation import Situation


def input_path(place: Workplace, file: InputFile) -> Path:
    """Return where an input is laid in a workplace."""
    return place.inputs / f"{file.full_name}{suffix_of(file.output.filename)}"


def suffix_of(filename: str) -> str:
    """Return the end of a file's name that tells its form; of what is compressed both."""
    suffixes = Path(filename).suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def lay_inputs(store: Store, place: Workplace, inputs: tuple[InputFile, ...]) -> None:
    """Lay copies of the inputs into the workplace, each with its sidecar beside it."""
    for file in inputs:
        lay_file(store, file.output, file.record, input_path(place, file))


def lay_file(store: Store, output: Output, record_id: str | None, target: Path) -> None:
    """Copy a file to *target*; where a job made it, the sidecar of that record lies beside it."""
    store.copy_out(output.sha256, target)
    record = read_record(store, record_id)
    if record is not None and record_id is not None:
        told = sidecar(record, record_id, output)
        target.with_name(target.name + SIDECAR_SUFFIX).write_bytes(told)


def sdk_context(situation: "Situation", step: Step, place: Workplace) -> dict[str, Any]:
    """Return what the SDK is told beside users' code."""
    inputs: dict[str, Any] = {}
    for file in step.inputs:
        told = {
            "path": str(input_path(place, file)),
            "media_type": file.output.media_type,
            "sha256": file.output.sha256,
        } | told_of_batch(file.batch)
        if file.part is None:
            inputs[file.name] = told
        else:
            inputs.setdefault(file.name, {"outputs": {}})["outputs"][file.part] = told
    return {
        "schema": 1,
        "name": situation.report if step.name == REPORT else step.name,
        "inputs": inputs,
        "params": situation.typed(step.params),
        "output_dir": str(place.outputs),
        "results": str(place.results),
        "as_of": situation.as_of.isoformat() if situation.as_of else None,
    }


def told_of_batch(batch: BatchFacts | None) -> dict[str, Any]:
    """Return what context and record say of an input that is a batch; of another nothing."""
    return asdict(batch) if batch is not None else {}
