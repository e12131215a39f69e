"""Files that say they are Parquet, and broke on their way."""

import errno
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provenance.datasets.elsewhere import convert_elsewhere, prepare_elsewhere
from provenance.datasets.forms import CSV, JSON, PARQUET
from provenance.datasets.frames import FrameError, convert, describe
from provenance.datasets.prepare import prepare


def parquet(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def damage(path: Path, place: int) -> Path:
    """Overwrite some bytes of a file: the footer's are its last, the first column's its first."""
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(data)
    return path


def test_a_damaged_footer_is_bad_input_whatever_the_library_raises(tmp_path):
    path = parquet(tmp_path / "bad.parquet", day=[1, 2])
    whole = path.read_bytes()
    length = int.from_bytes(whole[-8:-4], "little")
    for place in range(len(whole) - 8 - length, len(whole) - 16):
        path.write_bytes(whole)
        try:
            prepare(damage(path, place), tmp_path)
        except FrameError as error:
            assert "bad.parquet cannot be read as Parquet" in error.message  # noqa: PT017
    with pytest.raises(FrameError, match="cannot be read"):
        prepare_elsewhere(damage(path, len(whole) - 8 - length), tmp_path)


def test_a_process_of_its_own_says_the_same_of_a_damaged_page(tmp_path):
    path = damage(parquet(tmp_path / "bad.parquet", day=[1, 2]), 4)
    with pytest.raises(FrameError, match=r"bad\.parquet cannot be read as Parquet"):
        convert_elsewhere(path, PARQUET, CSV, tmp_path / "out.csv")


@pytest.mark.parametrize("wanted", [CSV, JSON])
def test_a_damaged_page_is_bad_input_when_it_is_read(tmp_path, wanted):
    path = damage(parquet(tmp_path / "bad.parquet", day=[1, 2]), 4)
    assert describe(path).rows == 2
    with pytest.raises(FrameError, match=r"bad\.parquet cannot be read as Parquet"):
        convert(path, PARQUET, wanted, io.BytesIO())


class Full(io.RawIOBase):
    """A file on a full disk."""

    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("wanted", [CSV, JSON])
def test_a_full_disk_is_not_put_down_to_the_file_that_is_read(tmp_path, wanted):
    path = parquet(tmp_path / "good.parquet", day=[1, 2])
    with pytest.raises(OSError, match="No space left"):
        convert(path, PARQUET, wanted, Full())
