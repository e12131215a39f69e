"""ZIP files that were made to break whoever verifies them: refused in words, and soon."""

import contextlib
import io
import json
import os
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.bundles.reading import BundleError
from pipeline.bundles.verify import verify_bundle
from pipeline.rendering.taken_apart import NoStampError, taken_apart
from provenance.verify import Verified
from tests.support.bundles import checked, zipped_anew

MIB = 1024 * 1024


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def written(*entries: tuple[zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content, method)
    return stream.getvalue()


def named(name: str) -> bytes:
    return written((entry("manifest.json"), b"{}"), (entry("x" * len(name)), b"x")).replace(
        b"x" * len(name.encode()), name.encode()
    )


def encrypted() -> bytes:
    data = bytearray(written((entry("manifest.json"), b"{}")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def twice() -> bytes:
    return written((entry("manifest.json"), b"{}"), (entry("manifest.jsoN"), b"[]")).replace(
        b"manifest.jsoN", b"manifest.json"
    )


def claiming(size: int) -> bytes:
    """A file that says of itself that it is that large."""
    data = bytearray(written((entry("manifest.json"), b"{}")))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", size)
    return bytes(data)


def many(count: int) -> bytes:
    """Many empty files, told by the list alone: it could be far longer than what is there."""
    head = struct.pack(
        "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, *[0] * 4, 0, 0, 0, 1, *[0] * 6
    )
    listed = (head + b"a") * count
    end = (b"PK\x05\x06", 0, 0, min(count, 65_535), min(count, 65_535), len(listed), 0, 0)
    return listed + struct.pack("<4s4H2LH", *end)


def longer_form() -> bytes:
    data = written((entry("manifest.json"), b"{}"))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    return data[:-22] + locator + data[-22:]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "no whole ZIP file"),
    "something else": (lambda: b"PK\x03\x04" + b"x" * 1000, "no whole ZIP file"),
    "truncated": (lambda: zipped_anew({"manifest.json": b"{}"})[:-7], "no whole ZIP file"),
    "followed by more": (lambda: zipped_anew({"manifest.json": b"{}"}) + b"x", "no whole ZIP file"),
    "without a manifest": (lambda: zipped_anew({"a": b""}), "has no manifest.json"),
    "a path that leads out": (lambda: named("../../escape"), "has a name that no bundle has"),
    "an absolute path": (lambda: named("/tmp/escaped"), "has a name that no bundle has"),
    "a path of another system": (lambda: named("..\\escaped"), "has a name that no bundle has"),
    "a drive": (lambda: named("C:/escaped"), "has a name that no bundle has"),
    "a folder": (lambda: named("records/"), "has a name that no bundle has"),
    "a name that steers terminals": (lambda: named("a\x1b[2Jb"), "has a name that no bundle has"),
    "a name that is no text": (
        lambda: written((entry("manifest.json"), b"{}"), (entry("\u00e4"), b"")).replace(
            b"\xc3\xa4", b"\xff\xff"
        ),
        "no bundle",
    ),
    "a link": (
        lambda: written((entry("manifest.json", stat.S_IFLNK | 0o777), b"/etc/passwd")),
        "is a link or a device",
    ),
    "a device": (
        lambda: written((entry("manifest.json", stat.S_IFCHR | 0o666), b"")),
        "is a link or a device",
    ),
    "encrypted": (encrypted, "is encrypted"),
    "a name twice": (twice, "is there twice"),
    "another method": (
        lambda: written((entry("manifest.json"), b"{}"), method=zipfile.ZIP_LZMA),
        "packed by a method",
    ),
    "larger than all may be": (lambda: claiming(2**32 - 2), "larger than 1,024 MiB"),
    "a hundred thousand files": (lambda: many(100_000), "lists 65,535 files"),
    "a few thousand files too many": (lambda: many(6_000), "lists 6,000 files"),
    "the form for large ones": (longer_form, "more than 4 GB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_bundle_is_refused_in_words_and_nothing_is_laid_down(
    tmp_path: Path, name: str
) -> None:
    make, why = REFUSED[name]
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    with pytest.raises(BundleError, match="is no bundle") as refused:
        checked(make(), inside)
    assert why in refused.value.message
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["taken.zip"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "taken.zip"
    make(path)
    with pytest.raises(BundleError, match="is no file"):
        verify_bundle(path, Verified())


def test_more_than_a_file_claimed_to_be_is_never_unpacked(tmp_path: Path) -> None:
    bomb = zipped_anew({"manifest.json": b" " * (100 * MIB)})
    lied = bytearray(bomb)
    at = lied.index(b"PK\x01\x02") + 24
    lied[at : at + 4] = struct.pack("<I", 10)
    (problem,) = checked(bytes(lied), tmp_path).problems
    assert (problem.what, "cannot be unpacked" in problem.message) == ("manifest", True)
    (problem,) = checked(bomb, tmp_path).problems
    assert "larger than 16 MiB" in problem.message


_LIMITED = """
import resource, sys
from pathlib import Path
from pipeline.bundles.verify import verify_bundle
from provenance.verify import Verified
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
verified = Verified()
verify_bundle(Path(sys.argv[1]), verified)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print([one.what for one in verified.problems], (after - before) // 1024)
"""


def manifest_of(*listed: dict[str, object]) -> bytes:
    run = {
        **{"id": "r", "url": "u", "project": "p", "report": "r", "verdict": None, "commit": "c"},
        **{"branch": None, "params": {}, "trigger": "t", "actor": "a", "started_at": "s"},
        **{"finished_at": "f", "record": "0" * 64, "page": "0" * 64, "notebook": None},
    }
    manifest = {"format": "provenote/bundle/1", "provenote": "1", "run": run, "jobs": []}
    manifest |= {"inputs": [], "missing": [], "files": list(listed)}
    return json.dumps(manifest).encode()


def test_a_file_that_is_named_again_and_again_is_unpacked_once(tmp_path: Path) -> None:
    page = {"path": "report.html", "sha256": "0" * 64, "size": 7, "media_type": "t"}
    files = {"manifest.json": manifest_of(*[page] * 4000), "report.html": b"<html>\n"}
    found = checked(zipped_anew(files), tmp_path)
    assert "The manifest names it twice." in [one.message for one in found.problems]
    assert found.checked["files"] == 1


def test_a_bomb_is_read_in_little_room_and_soon(tmp_path: Path) -> None:
    """A quarter of a gigabyte of nothing: hashed piece by piece, and found to be another."""
    listed = {"path": "report.html", "sha256": "0" * 64, "size": 250 * MIB, "media_type": "t"}
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest_of(listed))
        with archive.open("report.html", "w") as writer:
            for _ in range(250):
                writer.write(b"\0" * MIB)
    assert path.stat().st_size < 2 * MIB
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)],
        capture_output=True, text=True, check=True, timeout=60, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    problems, _, grown = done.stdout.strip().rpartition(" ")
    assert problems == "['changed', 'missing']"
    assert int(grown) < 64


@given(st.binary(max_size=200), st.integers(0, 400))
@example(noise=b"\x00\x00@", place=159)  # a version of the format that nobody knows
def test_no_damage_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    sound = zipped_anew({"manifest.json": b"{}", "report.html": b"<html>"})
    data = sound[:place] + noise + sound[place + len(noise) :]
    with contextlib.suppress(BundleError):
        assert checked(data, tmp_path_factory.getbasetemp()).problems


@pytest.mark.parametrize(
    "repeated",
    [
        f'<script data-library="{"0" * 64}/a.js" data-loaded="later">',
        f'<style data-library="{"0" * 64}/a.css">',
        '<img data-output="1/a" data-loaded="later" src="data:a;base64,',
        '<script type="application/json" id="parts">{',
        '<script type="application/ld+json">{',
        "\\x3c",
        "<body>",
        "[",
    ],
)
def test_a_page_of_what_is_sought_is_read_once(repeated: str) -> None:
    stamp = f'<meta name="provenote-file" content="{"0" * 64} - http://localhost">'
    text = stamp + repeated * (5 * MIB // len(repeated))
    apart = taken_apart(text)
    assert not apart.is_whole(text) or apart.sha256 != apart.stamp.page
    with pytest.raises(NoStampError):
        taken_apart(repeated * 1000)
