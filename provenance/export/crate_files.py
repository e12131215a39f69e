"""The files of a crate: which go into it, under which name, and how they get there."""

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote

from provenance.export.subject import Subject, sources_of
from provenance.record import Output, Record
from provenance.store import Store
from provenance.story import REPORT, JobFacts

MIB = 1024 * 1024
LARGEST = 100 * MIB
_PAGES = ("html", "notebook")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Taken:
    """What of the data goes into a crate."""

    data: bool = True
    """Whether outputs go in; page, notebook, code and records always do."""
    largest: int = LARGEST
    """Bytes of the largest file that goes in."""


@dataclass
class CrateFiles:
    """Files of a crate by their path in it, and what was left out."""

    objects: dict[str, str] = field(default_factory=dict)
    """Path in the crate to SHA-256 in the store."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """What would have been its path, and why it is not there."""


class Chooser:
    """Says of each file whether it goes into the crate, and where."""

    def __init__(self, subject: Subject, store: Store, taken: Taken) -> None:
        self.subject = subject
        self.files = CrateFiles()
        self._store = store
        self._taken = taken

    def output(self, job: JobFacts, output: Output) -> str:
        """Return the id of an output: its path, or its digest where it stays outside."""
        page = job.name == REPORT and output.name in _PAGES
        if not self._taken.data and not page:
            return self._outside(_path_of(job, output), output.sha256, "left out as asked for")
        if output.size > self._taken.largest:
            told = f"larger than {self._taken.largest / MIB:g} MiB"
            return self._outside(_path_of(job, output), output.sha256, told)
        return self._inside(_path_of(job, output), output.sha256)

    def record(self, job: JobFacts) -> str:
        """Return the id of a job's record."""
        return self._inside(f"records/{job.name}.json", str(job.record_id))

    def sources(self, record: Record) -> Iterator[tuple[str, str, str]]:
        """Yield id, path and digest of each file of code; its text is kept only if it is short."""
        for path, sha256, _ in sources_of(record):
            name = _unique(f"code/{path}", sha256, self.files.objects)
            if _is_safe(path) and self._store.has(sha256):
                yield self._inside(name, sha256), path, sha256
            else:
                yield f"urn:sha256:{sha256}", path, sha256

    def _inside(self, path: str, sha256: str) -> str:
        if not self._store.has(sha256):
            return self._outside(path, sha256, "no longer in the store")
        name = _unique(path, sha256, self.files.objects)
        self.files.objects[name] = sha256
        return quote(name)

    def _outside(self, path: str, sha256: str, why: str) -> str:
        if (path, why) not in self.files.left_out:
            self.files.left_out.append((path, why))
        return f"urn:sha256:{sha256}"


def write_folder(files: CrateFiles, metadata: dict[str, bytes], store: Store, folder: Path) -> None:
    """Write a crate into an empty *folder*; *metadata* are the files that are made for it.

    What turns out to be lost or damaged now raises as the store does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in metadata.items():
        (folder / name).write_bytes(content)
    for name, sha256 in files.objects.items():
        store.copy_out(sha256, folder / name)


def write_zip(folder: Path, stream: IO[bytes]) -> None:
    """Write all files of *folder* into a ZIP file; the same files give the same bytes."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with path.open("rb") as reader, archive.open(entry, "w", force_zip64=True) as writer:
                shutil.copyfileobj(reader, writer, MIB)


def _path_of(job: JobFacts, output: Output) -> str:
    if job.name != REPORT:
        return f"stages/{job.name}/{_safe(output.filename)}"
    if output.name in _PAGES:
        return _safe(output.filename)
    return f"files/{_safe(output.name.removeprefix('file:'))}"


def _unique(path: str, sha256: str, known: dict[str, str]) -> str:
    """Return *path*, or one like it where another content is called so already."""
    if known.get(path, sha256) == sha256:
        return path
    found = PurePosixPath(path)
    return str(found.with_name(f"{found.stem}-{sha256[:12]}{found.suffix}"))


def _safe(name: str) -> str:
    """Return a name that stays below its folder, whoever chose it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "unnamed"


def _is_safe(path: str) -> bool:
    return path == _safe(path)
