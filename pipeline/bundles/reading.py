"""Opening a ZIP file that anybody may have made: nothing of it is trusted, or laid on the disk.

What it claims is looked at before it is believed: how many files it lists, how large each would
be, and that each is a plain file with a plain name. Then they are read piece by piece, and no
further than they said.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provenance.errors import InvalidInputError

MIB = 1024 * 1024
MOST_FILES = 5_000
LARGEST = 1024 * MIB
"""Bytes of all files together, as they are when they are unpacked."""
_LARGEST_LIST = 2 * MIB
_PIECE = MIB
_NAME = re.compile(r"(?!.*//)[A-Za-z0-9][A-Za-z0-9._/-]{0,199}(?<![./])")
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _END_64_SIZE = 22, 20
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError),  # a version, a form or a password that zipfile refuses
)


class BundleError(InvalidInputError):
    """Raised when a file is no bundle, or one that is not safe to look into."""

    code = "bundle"


class DamagedError(Exception):
    """Raised when a file of a bundle cannot be unpacked, or is more than may be read."""


@dataclass(frozen=True)
class Entries:
    """The files of an open ZIP file, by their names."""

    archive: zipfile.ZipFile
    infos: dict[str, zipfile.ZipInfo]

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file; raise DamagedError where they cannot be had."""
        try:
            with self.archive.open(self.infos[name]) as reader:
                while piece := reader.read(_PIECE):
                    yield piece
        except _BROKEN as error:
            raise DamagedError(f"it cannot be unpacked: {str(error)[:200]}") from None

    def read(self, name: str, most: int) -> bytes:
        """Return a file of at most so many bytes; raise DamagedError for a larger one."""
        if self.infos[name].file_size > most:
            raise DamagedError(f"it is larger than {most // MIB} MiB")
        return b"".join(self.pieces(name))


@contextmanager
def opened(path: Path) -> Iterator[Entries]:
    """Open a ZIP file, and give what it lists; raise BundleError where that is not safe."""
    if not path.is_file():  # a pipe would keep us waiting
        raise BundleError(
            f"{path} is no file.", "Give a bundle: `provenote export --format bundle`."
        )
    with path.open("rb") as handle:
        _check_end(path, handle)
        try:
            archive = zipfile.ZipFile(handle)
        except _BROKEN as error:
            raise _no_bundle(path, f"its list of files cannot be read: {error}") from None
        with archive:
            yield Entries(archive, _listed(path, archive))


def _check_end(path: Path, handle: BinaryIO) -> None:
    """Look at the end of the file, which says how long its list is, before the list is read."""
    size = handle.seek(0, 2)
    handle.seek(max(0, size - _END_SIZE - _END_64_SIZE))
    tail = handle.read()
    end = tail[-_END_SIZE:]
    if len(end) < _END_SIZE or end[:4] != _END or end[-2:] != b"\0\0":
        raise _no_bundle(path, "it is no whole ZIP file: its end is missing, or something follows")
    if tail[:-_END_SIZE][:4] == _END_64:
        raise _no_bundle(path, "it is a ZIP file of the form for more than 4 GB")
    count, length = struct.unpack("<HI", end[10:16])
    if count > MOST_FILES or length > _LARGEST_LIST:
        raise _no_bundle(path, f"it lists {count:,} files; a bundle has at most {MOST_FILES:,}")


def _listed(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise _no_bundle(path, f"it lists more than {MOST_FILES:,} files")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if (odd := _odd(info)) or info.filename in found:
            name = ascii(info.filename[:100])
            raise _no_bundle(path, f"the file {name} in it {odd or 'is there twice'}")
        found[info.filename] = info
    if sum(info.file_size for info in infos) > LARGEST:
        raise _no_bundle(path, f"unpacked it would be larger than {LARGEST // MIB:,} MiB")
    return found


def _odd(info: zipfile.ZipInfo) -> str:
    """Return what is wrong with an entry; nothing for a plain file."""
    mode = info.external_attr >> 16
    parts = info.filename.split("/")
    if not _NAME.fullmatch(info.filename) or any(part in (".", "..") for part in parts):
        return "has a name that no bundle has"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or a device, not a plain file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is packed by a method that no bundle uses"
    return ""


def _no_bundle(path: Path, why: str) -> BundleError:
    hint = "Nothing of it was unpacked. `provenote export RUN --format bundle` makes one."
    return BundleError(f"{path} is no bundle: {why}.", hint)
