"""What a bundle says of itself: ``manifest.json``, the first of its files."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from provenance.record import Record

MANIFEST = "manifest.json"
PAGE, NOTEBOOK = "report.html", "notebook.ipynb"
Digest = str


def record_path(record_id: str) -> str:
    """Return where a record lies in a bundle."""
    return f"records/{record_id}.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FileEntry(_Part):
    """One file of the bundle."""

    path: str
    sha256: Digest
    size: int
    media_type: str


class JobEntry(_Part):
    """A job of the run, or an earlier execution that one was taken from, and its record."""

    name: str
    status: str
    key: str
    record: str | None


class InputEntry(_Part):
    """A file that a job read: what it was, not what is in it."""

    job: str
    name: str
    sha256: Digest
    size: int | None
    producer: str | None
    producer_record: str | None
    dataset: str | None
    partition: str | None
    batch: str | None


class RunEntry(_Part):
    """The run, as the ledger tells of it."""

    id: str
    url: str
    project: str
    report: str
    verdict: str | None
    commit: str
    branch: str | None
    params: dict[str, Any]
    trigger: str
    actor: str
    started_at: str
    finished_at: str
    record: str = Field(description="The id of the report's record.")
    page: Digest = Field(description="Of the page as the archive keeps it, nothing put into it.")
    notebook: Digest | None


class BundleManifest(_Part):
    """Everything that a bundle says of itself."""

    format: Literal["provenote/bundle/1"] = "provenote/bundle/1"
    provenote: str
    run: RunEntry
    jobs: tuple[JobEntry, ...]
    inputs: tuple[InputEntry, ...]
    missing: tuple[str, ...] = Field(description="Records that the archive no longer had.")
    files: tuple[FileEntry, ...] = Field(description="All but this one.")


def inputs_of(made: Iterable[tuple[str, Record]]) -> tuple[InputEntry, ...]:
    """Return what jobs read, from their names and records."""
    return tuple(_input(name, found) for name, record in made for found in record.inputs)


def _input(job: str, found: Mapping[str, Any]) -> InputEntry:
    size = found.get("size")
    optional = ("producer", "producer_record", "dataset", "partition", "batch")
    return InputEntry(
        job=job,
        name=str(found["name"]),
        sha256=str(found["sha256"]),
        size=size if isinstance(size, int) else None,
        **{name: str(found[name]) if found.get(name) else None for name in optional},
    )
