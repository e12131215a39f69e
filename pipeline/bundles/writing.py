"""Writing a bundle as a ZIP file, piece by piece, so that the same run gives the same bytes."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from pipeline.bundles.contents import Bundle

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_PIECE = 256 * 1024


class _Sink(io.RawIOBase):
    """What a ZIP file is written into, and taken out of before more is written.

    It cannot go back, on purpose: the bytes are then the same, wherever they are sent.
    """

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.waiting += memoryview(data)
        return memoryview(data).nbytes

    def take(self) -> bytes:
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken


def zipped(bundle: Bundle) -> Iterator[bytes]:
    """Yield the ZIP file of a bundle, with no more than one of its files in memory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in bundle.contents():
            entry = zipfile.ZipInfo(path, _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same everywhere
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w") as writer:
                for start in range(0, len(content), _PIECE):
                    writer.write(content[start : start + _PIECE])
                    if sink.waiting:
                        yield sink.take()
            yield sink.take()
    yield sink.take()
