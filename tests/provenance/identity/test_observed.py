"""What is made of the log of opened files; nothing in it is believed."""

import hashlib
import json
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.identity.observed import OUTSIDE, current_digest, read_observed

LATER = 100.0
X = hashlib.sha256(b"x").hexdigest()


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "checkout"
    (root / "data").mkdir(parents=True)
    (root / "data/x.csv").write_bytes(b"x")
    (root / "a.py").write_bytes(b"x")
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    return root


def log(*lines):
    told = (line if isinstance(line, dict) else {"path": line} for line in lines)
    return b"".join(json.dumps(line).encode() + b"\n" for line in told)


def since():
    return time.time() + LATER


def test_files_beyond_the_closure_are_hashed(root):
    found = read_observed(
        log("data/x.csv", "a.py", "none.toml", "data/x.csv"), root, ["a.py"], since()
    )
    assert found.files == {"data/x.csv": X, "none.toml": None}
    assert (found.wrote, found.changed, found.is_sure) == ((), (), True)


def test_a_file_that_changed_since_the_job_began_makes_it_unsure(root):
    began = time.time() - 1
    found = read_observed(log("data/x.csv", "none"), root, [], began)
    assert (found.changed, found.files, found.is_sure) == (("data/x.csv",), {"none": None}, False)


def test_an_edit_with_its_mtime_put_back_is_a_change(root):
    os.utime(root / "data/x.csv", ns=(1, 1))
    assert read_observed(log("data/x.csv"), root, [], time.time() - 1).changed == ("data/x.csv",)


def test_what_a_job_wrote_before_it_read_it_is_no_observation(root):
    wrote = {"path": "data/x.csv", "wrote": True}
    found = read_observed(log(wrote, "data/x.csv"), root, [], time.time() - 1)
    assert (found.wrote, found.files, found.is_sure) == (("data/x.csv",), {}, True)
    found = read_observed(log("data/x.csv", wrote), root, [], time.time() - 1)
    assert (found.changed, found.is_sure) == (("data/x.csv",), False)


def test_an_attempt_to_write_that_failed_hides_no_reading(root):
    wrote = {"path": "data/x.csv", "wrote": True}
    assert read_observed(log(wrote, "data/x.csv"), root, [], since()).files == {"data/x.csv": X}


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"3", b"[]", b'{"path": 3}', b'{"path": ""}', b'{"path": "/etc/passwd"}', b"\xff",
     b'{"path": "../secret"}', b'{"path": "data/../../secret"}', b'{"path": "a\\u0000b"}',
     b'{"path": "."}', b'{"path": "data//x.csv"}', b'{"path": "\\ud800"}', b"[" * 100_000,
     json.dumps({"path": "x" * 5000}).encode(), b'{"wrote": true}'],
)  # fmt: skip
def test_a_line_that_the_sdk_does_not_write_is_passed_over(root, line):
    found = read_observed(line + b"\n" + log("data/x.csv"), root, [], since())
    assert (found.files, found.wrote, found.is_sure) == ({"data/x.csv": X}, (), True)


def test_a_name_that_is_no_text_makes_the_result_unsure(root):
    wrote = {"path": "data/\udcfe", "wrote": True}
    found = read_observed(log("data/\udcff", wrote, "data/x.csv"), root, [], since())
    assert (found.files, found.wrote, found.is_sure) == ({"data/x.csv": X}, (), False)


def test_a_link_that_leads_out_is_not_followed_and_makes_the_result_unsure(root):
    found = read_observed(log("link"), root, [], since())
    assert (found.files, found.is_sure) == ({}, False)
    assert current_digest(root)("link") == OUTSIDE


@pytest.mark.parametrize(
    "told", [log(*map(str, range(10_001))), log("a.py") + b" " * (1 << 20)], ids=["lines", "bytes"]
)
def test_a_log_that_is_too_long_makes_the_result_unsure(root, told):
    found = read_observed(told, root, [], since())
    assert not found.is_sure
    assert len(found.files) <= 10_000


def test_as_many_lines_as_are_read_are_sure(root):
    found = read_observed(log(*map(str, range(10_000))), root, [], since())
    assert (len(found.files), found.is_sure) == (10_000, True)


def test_a_directory_counts_by_its_names(root):
    told = log("data/", "./", "none/")
    before = read_observed(told, root, [], since()).files
    assert set(before) == {"data/", "./", "none/"}
    assert before["none/"] is None
    (root / "data/x.csv").write_text("other")
    (root / "data/__pycache__").mkdir()
    current = current_digest(root)
    assert {path: current(path) for path in before} == before
    (root / "data/y.csv").write_text("")
    assert current("data/") != before["data/"]
    (root / "data/y.csv").unlink()
    (root / "data/x.csv").rename(root / "data/z.csv")
    assert current("data/") != before["data/"]


def test_the_present_digest_follows_each_edit(root):
    current = current_digest(root)
    assert (current("data/x.csv"), current("none"), current("data")) == (X, None, None)
    for content in (b"1", b"2", b"3"):
        (root / "data/x.csv").write_bytes(content)
        os.utime(root / "data/x.csv", ns=(1, 1))
        assert current("data/x.csv") == hashlib.sha256(content).hexdigest()


PATHS = st.sampled_from(["a.py", "data/x.csv", "data/", "./", "link", "link/", "../secret", "no"])
JSON = st.recursive(
    st.none() | st.text() | PATHS,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["path", "wrote"]), inner),
    max_leaves=5,
)
LINES = st.one_of(
    st.fixed_dictionaries({"path": PATHS | st.text(), "wrote": st.booleans()}).map(log),
    st.binary(max_size=30),
    JSON.map(lambda value: json.dumps(value).encode()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=8).map(b"\n".join))
def test_no_log_whatever_leads_out_or_fails(root, told):
    found = read_observed(told, root, ["a.py"], since())
    assert "a.py" not in found.files
    for path, digest in found.files.items():
        assert (root / path).resolve().is_relative_to(root.resolve())
        assert digest is None or len(digest) == 64
        assert digest != hashlib.sha256(b"secret").hexdigest()
    assert found.complete or b"link" in told
