"""What is exported: a run's story, and where it stands in the world."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.data_tables import Batch
from provenance.record import Output, Record, read_record
from provenance.store import Store
from provenance.story import REPORT, JobFacts, Story, load_story

PAGES = ("html", "notebook")
"""Outputs of a report that people look at; they can be rendered anew around its results."""
_PLAIN = {
    "html": ("text/html", "report.html"),
    "notebook": ("application/x-ipynb+json", "notebook.ipynb"),
}


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
    shown: tuple[Output, ...] = ()
    """What the run shows and gives out: the report's files, with the page of this very run."""
    earlier: tuple[JobFacts, ...] = ()
    """Executions that reused results took in, where a job of this run gave the same bytes since."""

    @property
    def run_url(self) -> str:
        """The address of the run's page."""
        return f"{self.place.base_url.rstrip('/')}/runs/{self.story.run.id}"

    @property
    def made(self) -> tuple[tuple[JobFacts, Record], ...]:
        """The jobs with their records, in their order."""
        return tuple((job, job.record) for job in self.story.jobs if job.record is not None)

    def maker(self, found: Mapping[str, Any]) -> tuple[JobFacts, Output] | None:
        """Return the job, and its output, that an input of a record is; None for a batch.

        A record that does not name the one it took from is older than that field: then it is
        the job of this run that is called like its producer.
        """
        named = found.get("producer_record")
        name = str(found.get("producer"))
        job = self._by_record.get(str(named)) if named else self.story.by_name.get(name)
        if job is None or job.record is None or found.get("batch"):
            return None
        same = (output for output in job.record.outputs if output.sha256 == found["sha256"])
        output = next(same, None)
        return (job, output) if output else None

    @cached_property
    def _by_record(self) -> dict[str | None, JobFacts]:
        return {job.record_id: job for job in (*self.earlier, *self.story.jobs)}

    @property
    def rendered(self) -> tuple[Output, ...]:
        """Page and notebook, where they are not those that the report's record names."""
        own = self.story.report.outputs if self.story.report else ()
        return tuple(one for one in self.shown if one.name in PAGES and one not in own)

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
    session: Session, store: Store, run_id: str, place: Place, *, whole: bool = True
) -> Subject:
    """Return the run to be exported; with all its records, unless it need not be *whole*.

    Raises what `load_story` raises, and MissingObjectError where the page is lost that it shows.
    """
    story = load_story(session, store, run_id, whole=whole)
    batches = {
        str(found["batch"])
        for job in story.jobs
        if job.record is not None
        for found in job.record.inputs
        if found.get("batch")
    }
    query = select(Batch.id, Batch.columns).where(Batch.id.in_(sorted(batches)))
    known = {row.id: row.columns for row in session.execute(query) if row.columns}
    return Subject(
        story=story,
        place=place,
        repository=as_uri(story.run.url),
        columns=known,
        shown=tuple(_shown(store, story)),
        earlier=_earlier(store, story),
    )


def _shown(store: Store, story: Story) -> Iterator[Output]:
    """Yield the report's files, its page and notebook as the run has them."""
    own = {output.name: output for output in story.report.outputs} if story.report else {}
    yield from (output for name, output in own.items() if name not in PAGES)
    for name, digest in zip(PAGES, (story.run.html, story.run.notebook), strict=True):
        if digest is None:
            continue
        output = own.get(name, Output(name, "", 0, *_PLAIN[name]))
        if output.sha256 != digest:
            with store.open(digest) as handle:
                output = replace(output, sha256=digest, size=handle.seek(0, os.SEEK_END))
        yield output


def _earlier(store: Store, story: Story) -> tuple[JobFacts, ...]:
    """Return the executions that were taken from and are no jobs of the run, makers first.

    A job that is made anew and gives the same bytes leaves what was made of them as it is.
    """
    known = {job.record_id for job in story.jobs}
    found: list[JobFacts] = []
    due = [job.record for job in story.jobs]
    while due:
        record = due.pop()
        for told in record.inputs if record else ():
            name = told.get("producer_record")
            if told.get("batch") or name is None or name in known:
                continue
            known.add(name)
            made = read_record(store, name)
            if made is not None:
                found.append(JobFacts(made.name, made.key, "reused", None, "", 0.0, name, made))
                due.append(made)
    return tuple(reversed(found))


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
