"""What a run reads from datasets: every reference of its manifest resolved once, at its start."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.asked import DataWanted
from pipeline.installation import Installation
from pipeline.manifest_parts.data import DataInput, filled
from pipeline.situation import Situation
from pipeline.step import REPORT, BatchFacts, InputFile
from provenance.datasets.names import MODEL, is_pattern
from provenance.record import Output, Record, read_record
from provenance.store import Store

if TYPE_CHECKING:
    # Most plans read no dataset, and need not wait for what does.
    from provenance.datasets.resolve import Reference
    from provenance.ledger.data_tables import Batch

Place = tuple[str, str]
"""A job, and the job's name for an input."""


def read_data(installation: Installation, situation: Situation, wanted: DataWanted) -> Situation:
    """Return *situation* with the batches that its report and the stages above it read.

    All of them are of one moment: what is published afterwards is for later runs. Raises
    NotFoundError where there is no such dataset, partition, batch or snapshot, or nothing in
    it yet, and PartitionError where the parameters name no partition.
    """
    read_at = datetime.now(UTC)
    references = dict(_references(situation))
    found: Mapping[Place, tuple[Batch, ...]] = {}
    if references:
        from provenance.datasets.resolve import resolve_all

        with installation.ledger.reading() as session:
            resolved = resolve_all(session, references.values(), wanted.as_of, wanted.batches)
        found = dict(zip(references, resolved, strict=True))
    data = {
        place: tuple(_files(installation.store, place[1], references[place], batches))
        for place, batches in found.items()
    }
    return replace(situation, data=data, as_of=wanted.as_of, read_at=read_at)


def follows_instants(situation: Situation) -> bool:
    """Return whether it depends on the instant asked for what report and stages read.

    A batch, version or snapshot that the manifest names is the same at any instant.
    """
    return any(
        (one.batch, one.version, one.snapshot) == (None, None, None)
        for _, one in _references(situation)
    )


def _references(situation: Situation) -> "Iterator[tuple[Place, Reference]]":
    manifest = situation.manifest
    jobs = [(stage, manifest.stage(stage).inputs) for stage in manifest.upstream(situation.report)]
    for job, inputs in [*jobs, (REPORT, situation.spec.inputs)]:
        for name, told in inputs.items():
            if isinstance(told, DataInput):
                yield (job, name), _reference(told, situation)


def _reference(told: DataInput, situation: Situation) -> "Reference":
    from provenance.datasets.resolve import Reference

    return Reference(
        kind=told.kind,
        dataset=told.name,
        partition=filled(told.partition, situation.params),
        batch=told.batch,
        snapshot=told.snapshot,
        version=told.version,
    )


def _files(
    store: Store, name: str, reference: "Reference", batches: "tuple[Batch, ...]"
) -> Iterator[InputFile]:
    several = is_pattern(reference.partition)
    for batch in batches:
        facts = _facts(reference, batch)
        record = read_record(store, batch.record)
        producer = f"model:{facts.dataset}" if facts.kind == MODEL else f"dataset:{facts.name}"
        yield InputFile(
            name=name,
            part=facts.partition if several else None,
            output=_output(batch, record),
            producer=producer,
            producer_key=record.key if record is not None else "",
            record=batch.record,
            batch=facts,
        )


def _facts(reference: "Reference", batch: "Batch") -> BatchFacts:
    return BatchFacts(
        kind=reference.kind,
        dataset=reference.dataset,
        partition=batch.partition.name,
        batch=batch.id,
        number=batch.number,
        snapshot=reference.snapshot,
    )


def batch_output(store: Store, batch: "Batch") -> Output:
    """Return the batch's file, under the name that the job which made it has for it."""
    return _output(batch, read_record(store, batch.record))


def _output(batch: "Batch", record: Record | None) -> Output:
    made = record.outputs if record is not None else ()
    named = next((one.name for one in made if one.sha256 == batch.sha256), None)
    name = named or batch.partition.dataset.name
    return Output(name, batch.sha256, batch.size, batch.media_type, batch.filename)
