"""PNG pictures by their pixels."""

import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reproduction.answer import Grade
from pipeline.reproduction.pictures import PictureError, compare_pictures, read_picture

WIDTH, HEIGHT = 4, 5
PIXELS = st.binary(min_size=WIDTH * HEIGHT * 4, max_size=WIDTH * HEIGHT * 4)
FILTERS = st.lists(st.integers(0, 4), min_size=HEIGHT, max_size=HEIGHT)


def chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(pixels: bytes, filters: list[int], text: bytes = b"", level: int = 6) -> bytes:
    """Write a picture as the standard says, each row with its own filter."""
    length, rows, above = WIDTH * 4, b"", bytes(WIDTH * 4)
    for kind, start in zip(filters, range(0, len(pixels), length), strict=True):
        row = pixels[start : start + length]
        rows += bytes([kind]) + bytes(
            (value - predicted(kind, row, above, at)) & 255 for at, value in enumerate(row)
        )
        above = row
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 6, 0, 0, 0)
    told = chunk(b"tEXt", text) if text else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + told
        + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b"")
    )  # fmt: skip


def predicted(kind: int, row: bytes, above: bytes, at: int) -> int:
    left, corner = (row[at - 4], above[at - 4]) if at >= 4 else (0, 0)
    up = above[at]
    guess = left + up - corner
    paeth = min((left, up, corner), key=lambda one: abs(guess - one))
    return (0, left, up, (left + up) // 2, paeth)[kind]


@given(PIXELS, FILTERS)
def test_every_filter_is_undone(pixels: bytes, filters: list[int]) -> None:
    assert bytes(read_picture(png(pixels, filters)).pixels()) == pixels


@given(PIXELS, FILTERS, FILTERS)
def test_pictures_are_what_is_seen(pixels: bytes, one: list[int], other: list[int]) -> None:
    found = compare_pictures(png(pixels, one, b"Date\0then"), png(pixels, other, b"Date\0now", 1))
    assert found.grade == Grade.IDENTICAL


def test_a_shade_is_near_and_another_colour_is_not() -> None:
    grey = bytes([100] * (WIDTH * HEIGHT * 4))
    shade, other = bytes([102, *grey[1:]]), bytes([160, *grey[1:]])
    flat = [0] * HEIGHT
    near = compare_pictures(png(grey, flat), png(shade, flat))
    assert near.grade == Grade.WITHIN_TOLERANCE
    far = compare_pictures(png(grey, flat), png(other, flat))
    assert (far.grade, far.after) == (
        Grade.DIFFERS, "1.2 % of the picture differs, by up to 60 of 255",
    )  # fmt: skip


@pytest.mark.parametrize("length", [0, 8, 20, 40, 60])
def test_what_is_cut_short_is_no_picture(length: int) -> None:
    whole = png(random.Random(1).randbytes(WIDTH * HEIGHT * 4), [0] * HEIGHT)
    with pytest.raises(PictureError):
        read_picture(whole[:length])
    assert compare_pictures(whole, whole[:length]).grade == Grade.DIFFERS


def test_a_small_file_that_would_swell_is_not_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 10**6))
    )
    with pytest.raises(PictureError, match="too large"):
        read_picture(bomb)
