"""What is exported: a run's story, and where it stands in the world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.data_tables import Batch
from provenance.record import Output, Record
from provenance.store import Store
from provenance.story import REPORT, JobFacts, Story, load_story


@dataclass(frozen=True)
class Place:
    """Where an installation stands: what the edge knows and the ledger does not."""

    base_url: str
    version: str
    """Version of provenote that writes the export."""


@dataclass(frozen=True)
class Subject:
    """A run to be exported."""

    story: Story
    place: Place
    repository: str
    """The repository as a URI, without anybody's password."""
    columns: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    """By batch id ``{"name", "type"}`` of each column, where the ledger knows them."""

    @property
    def run_url(self) -> str:
        """The address of the run's page."""
        return f"{self.place.base_url.rstrip('/')}/runs/{self.story.run.id}"

    @property
    def made(self) -> tuple[tuple[JobFacts, Record], ...]:
        """The jobs with their records, in their order."""
        return tuple((job, job.record) for job in self.story.jobs if job.record is not None)

    def maker(self, found: Mapping[str, Any]) -> tuple[JobFacts, Output] | None:
        """Return the job of this run, and its output, that an input of a record is; or None."""
        job = self.story.by_name.get(str(found.get("producer")))
        if job is None or job.record is None or found.get("batch"):
            return None
        same = (output for output in job.record.outputs if output.sha256 == found["sha256"])
        output = next(same, None)
        return (job, output) if output else None

    def given(self, record: Record) -> Iterator[Mapping[str, Any]]:
        """Yield the inputs of *record* that no job of this run made: batches, in the main."""
        return (found for found in record.inputs if self.maker(found) is None)

    @property
    def times(self) -> tuple[str, str]:
        """When the run began and ended, in ISO 8601; one that came to no start has its request."""
        run = self.story.run
        began = run.started_at or run.created_at
        return began.isoformat(), (run.finished_at or began).isoformat()


def load_subject(
    session: Session, store: Store, run_id: str, place: Place, repository: str | None = None
) -> Subject:
    """Return the run to be exported; raises what `load_story` raises.

    *repository* is its address as strangers may see it; the one in the ledger by default.
    """
    story = load_story(session, store, run_id)
    batches = {
        str(found["batch"])
        for job in story.jobs
        if job.record is not None
        for found in job.record.inputs
        if found.get("batch")
    }
    query = select(Batch.id, Batch.columns).where(Batch.id.in_(sorted(batches)))
    known = {row.id: row.columns for row in session.execute(query) if row.columns}
    return Subject(story, place, as_uri(repository or story.run.url), known)


def as_uri(repository: str) -> str:
    """Return the address of a repository as a URI: also of a folder, or of ``host:path``."""
    if "://" in repository:
        return repository
    host, colon, path = repository.partition(":")
    if colon and "/" not in host:
        return f"ssh://{host.rpartition('@')[2]}/{quote(path)}"
    return f"file://{quote(str(PurePosixPath('/') / repository))}"


def job_title(job: JobFacts, record: Record) -> str:
    """Return what people call a job: ``report daily``, ``stage features``."""
    return f"report {record.name}" if job.name == REPORT else f"stage {job.name}"


def sources_of(record: Record) -> Iterator[tuple[str, str, bool]]:
    """Yield path, SHA-256 and "was only seen when it ran" of each file that the code read."""
    for file in record.code.get("files") or ():
        if file.get("exact"):
            yield str(file["path"]), str(file["exact"]), False
    for path, sha256 in record.observed.items():
        if sha256:
            yield path, sha256, True
