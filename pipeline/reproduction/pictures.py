"""PNG pictures by their pixels. Only what plotting libraries write: 8 bits, not interlaced.

Format: https://www.w3.org/TR/png-3/ ; filters are those of its section 9.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.reproduction.answer import Grade
from pipeline.reproduction.closeness import Closeness

NEAR = 2
"""Steps of 255 by which a colour may be off and still count as near."""
MOST_BYTES = 24_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class PictureError(ValueError):
    """Raised for what is no PNG, or one of a form that is not read here."""


@dataclass(frozen=True)
class Picture:
    """A picture as its rows are stored: still filtered, one byte a channel."""

    width: int
    height: int
    colour: int
    palette: bytes
    filtered: bytes

    @property
    def channels(self) -> int:
        """Bytes a pixel."""
        return _CHANNELS[self.colour]

    def pixels(self) -> bytearray:
        """Return all rows, one after another, without their filters."""
        length, step = self.width * self.channels, self.channels
        found, above = bytearray(), bytearray(length)
        for start in range(0, len(self.filtered), length + 1):
            row = bytearray(self.filtered[start + 1 : start + 1 + length])
            _unfilter(self.filtered[start], row, above, step)
            found += row
            above = row
        return found


def compare_pictures(before: bytes, after: bytes) -> Closeness:
    """Compare two PNG files by what is seen; text and dates inside them do not count."""
    if before == after:
        return Closeness(Grade.IDENTICAL)
    try:
        old, new = read_picture(before), read_picture(after)
    except PictureError as error:
        return Closeness(Grade.DIFFERS, None, "", f"other bytes; not looked into: {error}")
    if old == new:
        return Closeness(Grade.IDENTICAL, aside=True)
    sizes = [f"{one.width} × {one.height} pixels" for one in (old, new)]
    if sizes[0] != sizes[1]:
        return Closeness(Grade.DIFFERS, None, sizes[0], sizes[1])
    if (old.colour, old.palette) != (new.colour, new.palette):
        return Closeness(Grade.DIFFERS, None, "", "a picture of other colours")
    return _by_pixels(old, new)


def _by_pixels(old: Picture, new: Picture) -> Closeness:
    pairs = [(a, b) for a, b in zip(old.pixels(), new.pixels(), strict=True) if a != b]
    if not pairs:
        return Closeness(Grade.IDENTICAL, aside=True)
    largest = max(abs(a - b) for a, b in pairs)
    share = 100 * len(pairs) / (old.width * old.height * old.channels)
    said = f"{share:.2g} % of the picture differs, by up to {largest} of 255"
    near = largest <= NEAR and not old.palette
    grade = Grade.WITHIN_TOLERANCE if near else Grade.DIFFERS
    return Closeness(grade, None, "", said)


def read_picture(data: bytes) -> Picture:
    """Return the picture in a PNG file; raise PictureError."""
    if not data.startswith(_SIGNATURE):
        raise PictureError("it is no PNG")
    header, palette, packed = b"", b"", []
    for name, content in _chunks(data):
        if name == b"IHDR":
            header = content
        elif name in (b"PLTE", b"tRNS"):
            palette += content
        elif name == b"IDAT":
            packed.append(content)
    if len(header) != 13:
        raise PictureError("it has no header")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or interlaced or colour not in _CHANNELS:
        raise PictureError(f"{depth} bits a channel, or interlaced")
    length = height * (width * _CHANNELS[colour] + 1)
    if not 0 < length <= MOST_BYTES:
        raise PictureError("it is too large")
    return Picture(width, height, colour, palette, _unpacked(b"".join(packed), length))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, data[place + 8 : place + 8 + length]
        place += length + 12


def _unpacked(packed: bytes, length: int) -> bytes:
    try:
        # Never more than the header promises, whatever a small file would swell to.
        found = zlib.decompressobj().decompress(packed, length)
    except zlib.error as error:
        raise PictureError(f"it is damaged: {error}") from None
    if len(found) != length:
        raise PictureError("it is cut short")
    return found


def _unfilter(kind: int, row: bytearray, above: bytearray, step: int) -> None:
    if kind == 1:
        for at in range(step, len(row)):
            row[at] = (row[at] + row[at - step]) & 255
    elif kind == 2:
        for at, up in enumerate(above):
            row[at] = (row[at] + up) & 255
    elif kind == 3:
        for at, up in enumerate(above):
            left = row[at - step] if at >= step else 0
            row[at] = (row[at] + (left + up) // 2) & 255
    elif kind == 4:
        for at, up in enumerate(above):
            left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
            row[at] = (row[at] + _paeth(left, up, corner)) & 255
    elif kind != 0:
        raise PictureError(f"filter {kind} is unknown")


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = (abs(guess - left), abs(guess - up), abs(guess - corner))
    return (left, up, corner)[distances.index(min(distances))]
