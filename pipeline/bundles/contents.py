"""What goes into a bundle: page, notebook, and the records that they stand on."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.bundles.manifest import (
    MANIFEST,
    NOTEBOOK,
    PAGE,
    BundleManifest,
    FileEntry,
    JobEntry,
    RunEntry,
    inputs_of,
    record_path,
)
from provenance.errors import NotFoundError
from provenance.export.subject import Subject
from provenance.record import Output
from provenance.store import Store
from provenance.story import JobFacts

_PATHS = {"html": PAGE, "notebook": NOTEBOOK}


class NothingToTakeError(NotFoundError):
    """Raised when a run has no page, or no record that says how it came to be."""

    code = "nothing_to_take"


@dataclass(frozen=True)
class BundleFile:
    """A file of a bundle, and what reads it when it is its turn."""

    entry: FileEntry
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Bundle:
    """A bundle that can be written."""

    manifest: BundleManifest
    files: tuple[BundleFile, ...]

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of each file, the manifest first, the others by their paths."""
        told = self.manifest.model_dump(mode="json")
        yield MANIFEST, json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"
        for file in self.files:
            yield file.entry.path, file.read()


def bundle_of(subject: Subject, store: Store, page: bytes) -> Bundle:
    """Return the bundle of a run whose page as one file is *page*.

    Records that the archive no longer has are named as missing. Raises NothingToTakeError where
    the report's own is among them, MissingObjectError where something else is lost.
    """
    run = subject.story.run
    if run.record_id is None or subject.story.report is None or run.html is None:
        raise NothingToTakeError(
            f"Run {run.id} has no page with a record that could be taken along.",
            f"`provenote show {run.id}` tells how it ended.",
        )
    jobs = (*subject.story.jobs, *subject.earlier)
    files = sorted(_files(subject, jobs, store, page), key=lambda file: file.entry.path)
    manifest = BundleManifest(
        provenote=subject.place.version,
        run=_run(subject, run.record_id, run.html),
        jobs=tuple(
            JobEntry(name=job.name, status=job.status, key=job.key, record=job.record_id)
            for job in jobs
        ),
        inputs=inputs_of((job.name, job.record) for job in jobs if job.record is not None),
        missing=tuple(sorted(_missing(jobs))),
        files=tuple(file.entry for file in files),
    )
    return Bundle(manifest, tuple(files))


def _run(subject: Subject, record_id: str, page: str) -> RunEntry:
    run = subject.story.run
    started, finished = subject.times
    told = ("id", "project", "report", "verdict", "commit", "branch", "trigger", "actor")
    return RunEntry(
        **{name: getattr(run, name) for name in told},
        url=subject.run_url,
        params=json.loads(json.dumps(run.params)),
        started_at=started,
        finished_at=finished,
        record=record_id,
        page=page,
        notebook=run.notebook,
    )


def _files(
    subject: Subject, jobs: tuple[JobFacts, ...], store: Store, page: bytes
) -> Iterator[BundleFile]:
    own = subject.story.report.outputs if subject.story.report else ()
    for output in subject.shown:
        if output.name == "html":
            digest = hashlib.sha256(page).hexdigest()
            shown = FileEntry(
                path=PAGE, sha256=digest, size=len(page), media_type=output.media_type
            )
            yield BundleFile(shown, lambda: page)
        elif output.name in _PATHS:
            yield _kept(store, output, _PATHS[output.name])
    for output in own:
        # Where prose is newer than the execution, the record names another notebook.
        if output.name == "notebook" and output not in subject.shown and store.has(output.sha256):
            yield _kept(store, output, f"executed/{NOTEBOOK}")
    there = {job.record_id for job in jobs if job.record is not None and job.record_id}
    for record_id in sorted(there):
        size = len(store.read(record_id))
        output = Output("record", record_id, size, "application/json", "")
        yield _kept(store, output, record_path(record_id))


def _kept(store: Store, output: Output, path: str) -> BundleFile:
    """Return a file of the store; it is there, or MissingObjectError: later would be too late."""
    with store.open(output.sha256):
        pass
    entry = FileEntry(
        path=path, sha256=output.sha256, size=output.size, media_type=output.media_type
    )
    return BundleFile(entry, partial(store.read, output.sha256))


def _missing(jobs: tuple[JobFacts, ...]) -> set[str]:
    """Return the records that jobs stand on, by their own or as makers of inputs, and are gone."""
    named = {job.record_id for job in jobs}
    named |= {
        str(found["producer_record"])
        for job in jobs
        if job.record is not None
        for found in job.record.inputs
        if found.get("producer_record")
    }
    there = {job.record_id for job in jobs if job.record is not None}
    return {name for name in named - there if name is not None}
