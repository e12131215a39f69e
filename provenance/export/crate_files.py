"""The files of a crate: which go into it, under which name, and how they get there."""

import shutil
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote

from provenance.export.subject import PAGES, Subject, sources_of
from provenance.record import Output, Record
from provenance.store import Store
from provenance.story import REPORT, JobFacts

MIB = 1024 * 1024
LARGEST = 100 * MIB
_LONGEST_PART = 180
"""Bytes of a file's or folder's name: file systems take 255, and a digest may be added."""
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that show nothing, or turn around how the rest is shown."""
_REFUSED = frozenset('<>:"|?*')
"""Characters that some file systems do not take."""
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
    folders: set[str] = field(default_factory=set)

    described: int = 0
    """How many files describe the others; they are made for the crate."""

    @property
    def count(self) -> int:
        """How many files the crate holds."""
        return len(self.objects) + self.described

    def add(self, path: str, sha256: str) -> str:
        """Let the object be in the crate at *path*, or at one like it; return which it is."""
        name = self._unique(path, sha256)
        self.objects[name] = sha256
        self.folders.update(_folders(name))
        return name

    def _unique(self, path: str, sha256: str) -> str:
        """Return *path*, or one like it where something else is called so already."""
        if any(folder in self.objects for folder in _folders(path)):
            first, _, rest = path.partition("/")
            return self._unique(f"{first}-{sha256[:12]}/{rest}", sha256)
        if path not in self.folders and self.objects.get(path, sha256) == sha256:
            return path
        found = PurePosixPath(path)
        return str(found.with_name(f"{found.stem}-{sha256[:12]}{found.suffix}"))


class Chooser:
    """Says of each file whether it goes into the crate, and where."""

    def __init__(self, subject: Subject, store: Store, taken: Taken) -> None:
        self.subject = subject
        self.files = CrateFiles()
        self._store = store
        self._taken = taken

    def output(self, job: JobFacts, output: Output) -> str:
        """Return the id of an output: its path, or its digest where it stays outside."""
        page = job.name == REPORT and output.name in PAGES
        path = self._path_of(job, output)
        if not self._taken.data and not page:
            return self._outside(path, output.sha256, "left out as asked for")
        if output.size > self._taken.largest:
            told = f"larger than {self._taken.largest / MIB:g} MiB"
            return self._outside(path, output.sha256, told)
        return self._inside(path, output.sha256)

    def _path_of(self, job: JobFacts, output: Output) -> str:
        if job.name != REPORT:
            return f"stages/{_safe(job.name)}/{_safe(output.filename)}"
        if output.name not in PAGES:
            return f"files/{_safe(output.name.removeprefix('file:'))}"
        # What the run shows is at the top; the page of its record, if it is another, is not.
        top = "" if output in self.subject.shown else "executed/"
        return f"{top}{_safe(output.filename)}"

    def record(self, job: JobFacts) -> str:
        """Return the id of a job's record."""
        return self._inside(f"records/{_safe(job.name)}.json", str(job.record_id))

    def sources(self, record: Record) -> Iterator[tuple[str, str, str]]:
        """Yield id, path and digest of each file of code; its text is kept only if it is short."""
        for path, sha256, _ in sources_of(record):
            if self._store.has(sha256):
                yield self._inside(f"code/{_safe(path)}", sha256), path, sha256
            else:
                yield f"urn:sha256:{sha256}", path, sha256

    def _inside(self, path: str, sha256: str) -> str:
        if not self._store.has(sha256):
            return self._outside(path, sha256, "no longer in the store")
        return quote(self.files.add(path, sha256))

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
    files.described = len(metadata)
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


def _folders(path: str) -> list[str]:
    """Return the folders that *path* is in, without the crate's own."""
    return [str(folder) for folder in PurePosixPath(path).parents][:-1]


def _safe(name: str) -> str:
    """Return a name that stays below its folder and reads as it is, whoever chose it."""
    seen = "".join("_" if _is_odd(character) else character for character in name)
    parts = [part.rstrip(". ") for part in seen.replace("\\", "/").split("/")]
    return "/".join(_short(part) for part in parts if part) or "unnamed"


def _is_odd(character: str) -> bool:
    return character in _REFUSED or unicodedata.category(character) in _UNSEEN


def _short(part: str) -> str:
    """Return as much of a name as file systems take, with its end, which tells its form."""
    data = part.encode()
    if len(data) <= _LONGEST_PART:
        return part
    end = PurePosixPath(part).suffix
    end = end if len(end.encode()) <= _LONGEST_PART // 4 else ""
    return data[: _LONGEST_PART - len(end.encode())].decode(errors="ignore") + end
