"""A job as the plan knows it: what it reads, what determines its result, whether it is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.manifest_parts.models import RESERVED
from provenance.cache import Entry
from provenance.datasets.names import MODEL, label
from provenance.identity.key import Preimage
from provenance.record import Output

REPORT = RESERVED
RENDERED_ANEW = "its text was rendered anew"
"""Ends the sentence of a report whose result was reused, and whose page was not."""


@dataclass(frozen=True)
class BatchFacts:
    """Which batch of which dataset, or which version of which model, an input is."""

    kind: str
    """``data`` or ``model``."""
    dataset: str
    partition: str
    batch: str
    number: int
    """Counts the batches of the partition: a model's version."""
    snapshot: str | None
    """The snapshot that it was read from, where the manifest names one."""

    @property
    def name(self) -> str:
        """What people call the partition, or the model."""
        return label(self.kind, self.dataset, self.partition)

    @property
    def title(self) -> str:
        """What people call the batch: ``sold_items/2013-01-31 batch 2``."""
        return f"{self.name} {number_word(self.kind)} {self.number}"


def number_word(kind: str) -> str:
    """Return what the number of a batch is called; of a model it is its version."""
    return "version" if kind == MODEL else "batch"


@dataclass(frozen=True)
class InputFile:
    """A file that a job is given: an output of an earlier one, or a batch of a dataset."""

    name: str
    part: str | None
    """Name of the output, where the input is all outputs of a stage that has several; of the
    partition, where it is several of a dataset."""
    output: Output
    producer: str
    producer_key: str
    record: str | None
    """The record of the job that made it; None for a batch that was imported."""
    batch: BatchFacts | None = None

    @property
    def full_name(self) -> str:
        """The input's name; with the output's where there are several."""
        return f"{self.name}.{self.part}" if self.part else self.name


@dataclass(frozen=True)
class Definition:
    """What a job executes, and in what: everything that determines it but inputs and values.

    ``keyed`` and ``environment`` go into the key; ``told`` is what the record says of the
    code: entry, files, closure, open sites. ``content`` is what was read to know this, such
    as the text of a query: what is keyed is then what is executed.
    """

    keyed: dict[str, object]
    told: dict[str, Any]
    environment: dict[str, object]
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A job, known well enough to look it up or to execute it."""

    name: str
    """The stage's name; for the report itself ``report``."""
    preimage: Preimage
    inputs: tuple[InputFile, ...]
    params: Mapping[str, Any]
    definition: Definition

    @property
    def key(self) -> str:
        """The job's key."""
        return self.preimage.key

    @property
    def code(self) -> Mapping[str, Any]:
        """What the record says of the code."""
        return self.definition.told


@dataclass(frozen=True)
class Decision:
    """What is to happen with a step: an entry to reuse, or the reason to execute it."""

    entry: Entry | None
    reason: str | None
    sentence: str
