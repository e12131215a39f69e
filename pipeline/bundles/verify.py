"""Checking a bundle without an archive and without a network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from pipeline.bundles.manifest import (
    MANIFEST,
    NOTEBOOK,
    PAGE,
    BundleManifest,
    FileEntry,
    JobEntry,
    inputs_of,
    record_path,
)
from pipeline.bundles.page import LARGEST_PAGE, check_page, record_id, record_in, without_page
from pipeline.bundles.reading import MIB, BundleError, DamagedError, Entries, opened
from pipeline.rendering.taken_apart import NoStampError
from provenance.record import Record, parse_record
from provenance.verify import UNREADABLE, Verified, check_key

_LARGEST_MANIFEST = 16 * MIB
_LARGEST_RECORD = 16 * MIB
_ALL_RECORDS = 64 * MIB
"""Bytes of records that are looked into: read, they take many times that."""


def verify_bundle(path: Path, verified: Verified) -> None:
    """Check that a bundle is as it was written, and that its parts belong together.

    Raises BundleError where it is none, or not safe to look into.
    """
    found = Verified()
    with opened(path) as entries:
        if MANIFEST not in entries.infos:
            raise BundleError(
                f"{path} is no bundle: it has no {MANIFEST}.",
                "`provenote export RUN --format bundle` makes one.",
            )
        found.count("bundles")
        manifest = _manifest(entries, found)
        try:
            if manifest is not None:
                _Check(entries, manifest, found).run()
        except UNREADABLE as error:  # a record can be well-formed, and yet hold anything
            found.problem("record", MANIFEST, f"A record in it cannot be looked into: {error}.")
    verified.take(found, str(path))


def _manifest(entries: Entries, verified: Verified) -> BundleManifest | None:
    try:
        return BundleManifest.model_validate_json(entries.read(MANIFEST, _LARGEST_MANIFEST))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        told = f"{where}: {first['msg']}" if where else first["msg"]
        verified.problem("manifest", MANIFEST, f"It is not as it was written: {told}.")
    except DamagedError as error:
        verified.problem("manifest", MANIFEST, f"It is not as it was written: {error}.")
    return None


@dataclass
class _Check:
    entries: Entries
    manifest: BundleManifest
    verified: Verified
    sound: set[str] = field(default_factory=set)
    """Files that are what the manifest says."""
    records: dict[str, Record] = field(default_factory=dict)
    made: dict[str, frozenset[str]] = field(default_factory=dict)
    """Digests of what the job of each record left."""

    def run(self) -> None:
        """Check files, records, what they say of each other, and say what cannot be checked."""
        seen: set[str] = set()
        for entry in self.manifest.files:
            if entry.path in seen:
                self.verified.problem("manifest", entry.path, "The manifest names it twice.")
                break  # each time it would be unpacked anew
            seen.add(entry.path)
            self._file(entry)
        for name in sorted(self.entries.infos.keys() - {MANIFEST} - self._named):
            self.verified.problem("unnamed", name, "It is in the bundle; the manifest knows none.")
        self._records()
        report = self.records.get(self.manifest.run.record)
        if report is None:
            told = f"The report's record {self.manifest.run.record} is not here, or not as it was."
            self.verified.problem("missing", MANIFEST, told)
        else:
            self._run(report)
            self._page(report)
            self._notebook(report)
        self._inputs()
        self._unchecked()

    @property
    def _named(self) -> set[str]:
        return {entry.path for entry in self.manifest.files}

    def _file(self, entry: FileEntry) -> None:
        if entry.path not in self.entries.infos:
            told = "The manifest names it; it is not in the bundle."
            self.verified.problem("missing", entry.path, told)
            return
        self.verified.count("files")
        hasher, size = hashlib.sha256(), 0
        try:
            for piece in self.entries.pieces(entry.path):
                hasher.update(piece)
                size += len(piece)
        except DamagedError as error:
            self.verified.problem("changed", entry.path, f"It was changed: {error}.")
            return
        if (found := hasher.hexdigest()) != entry.sha256 or size != entry.size:
            told = f"It has SHA-256 {found} and {size:,} bytes"
            said = f"the manifest says {entry.sha256} and {entry.size:,}"
            self.verified.problem("changed", entry.path, f"{told}; {said}.")
            return
        self.sound.add(entry.path)

    def _records(self) -> None:
        room = _ALL_RECORDS
        for job in self.manifest.jobs:
            path = record_path(job.record or "")
            if job.record is None or path not in self.sound or job.record in self.records:
                continue
            room -= self.entries.infos[path].file_size
            if room < 0:
                told = f"No more than {_ALL_RECORDS // MIB} MiB of records are looked into."
                self.verified.note("not_checked", path, told)
                continue
            self._record(job, job.record, path)

    def _record(self, job: JobEntry, record_id: str, path: str) -> None:
        try:
            data = self.entries.read(path, _LARGEST_RECORD)
            if hashlib.sha256(data).hexdigest() != record_id:
                told = "Its digest is not the record id that it is named by."
                self.verified.problem("edited", path, told)
                return
            record = parse_record(data)
            check_key(record, path, self.verified)
            inputs_of([(job.name, record)])
            self.made[record_id] = frozenset(record.files)
        except (DamagedError, KeyError, *UNREADABLE) as error:
            told = f"It cannot be read as a record: {str(error)[:200]}."
            self.verified.problem("record", path, told)
            return
        self.verified.count("records")
        self.verified.count("keys")
        self.records[record_id] = record
        if record.key != job.key:
            told = f"It says that the key of {job.name} is {job.key}; the record has {record.key}."
            self.verified.problem("edited", MANIFEST, told)

    def _run(self, report: Record) -> None:
        """Compare what the manifest says of the run with what its record says."""
        run = self.manifest.run
        code: Mapping[str, object] = report.code if isinstance(report.code, dict) else {}
        told = (("report", run.report, report.name), ("project", run.project, code.get("project")))
        for word, said, known in told:
            if said != known:
                told_ = f"It says that the {word} is {said}; the record says {known}."
                self.verified.problem("edited", MANIFEST, told_)

    def _page(self, report: Record) -> None:
        if PAGE not in self.sound:
            return
        try:
            text = self.entries.read(PAGE, LARGEST_PAGE).decode()
            apart = check_page(text, PAGE, self.verified)
        except (DamagedError, NoStampError, *UNREADABLE) as error:
            told = f"It is no page as one file: {str(error)[:200]}"
            self.verified.problem("page", PAGE, told)
            return
        run = self.manifest.run
        stamp = apart.stamp
        for word, said, known in (
            ("page", stamp.page, run.page),
            ("record", stamp.record, run.record),
            ("address", stamp.url, run.url),
        ):
            if said != known:
                told = f"Its stamp names the {word} {said}; the manifest says {known}."
                self.verified.problem("edited", PAGE, told)
        self._named_by(report, "html", PAGE, run.page)
        inside = record_in(apart.page, PAGE, self.verified)
        ids = {record_id(report), record_id(without_page(report))}
        if inside is not None and record_id(inside) not in ids:
            told = "The record inside the page is not the one that the page stands on."
            self.verified.problem("edited", PAGE, told)

    def _notebook(self, report: Record) -> None:
        entry = next((one for one in self.manifest.files if one.path == NOTEBOOK), None)
        digest = self.manifest.run.notebook
        if (entry.sha256 if entry else None) != digest:
            told = f"The manifest says that the notebook is {digest}; this is another."
            self.verified.problem("edited", NOTEBOOK, told)
        elif digest is not None:
            self.verified.count("notebooks")
            self._named_by(report, "notebook", NOTEBOOK, digest)

    def _named_by(self, report: Record, name: str, path: str, digest: str) -> None:
        """Compare page or notebook with the record; one that was rendered anew is not in it."""
        output = report.output(name)
        executed = next(
            (one for one in self.manifest.files if one.path == f"executed/{path}"), None
        )
        if executed is not None and (output is None or output.sha256 != executed.sha256):
            told = f"It is not the {name} that the record names."
            self.verified.problem("edited", executed.path, told)
        if output is not None and output.sha256 == digest:
            return
        told = "The record names another one: its prose was edited since, and it was rendered anew"
        self.verified.note("rendered_anew", path, f"{told} around the results that were kept.")

    def _inputs(self) -> None:
        jobs = [(job.name, job.record) for job in self.manifest.jobs if job.record in self.records]
        read = [(name, self.records[str(record)]) for name, record in jobs]
        names = {name for name, _ in read}
        said = tuple(one for one in self.manifest.inputs if one.job in names)
        if said != inputs_of(read):
            told = "Its list of inputs is not what the records say."
            self.verified.problem("edited", MANIFEST, told)
        for one in inputs_of(read):
            self.verified.count("inputs")
            made = self.made.get(one.producer_record or "")
            if made is not None and one.sha256 not in made:
                told = f"Input {one.name} of {one.job} is no output of the record that it names."
                self.verified.problem("edited", record_path(str(one.producer_record)), told)

    def _unchecked(self) -> None:
        note = self.verified.note
        for record in self.manifest.missing:
            note("not_checked", record, "A record that the archive no longer had.")
        if self.manifest.inputs:
            note("not_checked", "inputs", "Their data is not here: only what their hashes are.")
        run = self.manifest.run
        told = f"It says of itself that it is run {run.id} of {run.project} / {run.report}"
        note("told", MANIFEST, f"{told} at {run.commit[:12]}, and that it was {run.verdict}.")
        told = "When, why and for whom it ran, its parameters and verdict stand here alone."
        note("not_checked", MANIFEST, told)
        told = "Who changed everything at once is found out by this record id alone: compare it"
        note("record", run.record, f"{told} with the run's in an archive that you know.")
