import hashlib
import os
import time

from provenance.identity import sources
from provenance.identity.closure import python_closure
from provenance.identity.sources import FileFacts


def settle(path):
    """Wait until an edit of the file must move its ctime."""
    while time.time_ns() - path.stat().st_ctime_ns < 200_000_000:
        time.sleep(0.02)


def test_hashes_are_what_sha256sum_says(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc")
    assert FileFacts().exact(str(file)) == hashlib.sha256(b"abc").hexdigest()
    assert FileFacts().exact(str(tmp_path)) is None
    assert FileFacts().exact(str(tmp_path / "missing")) is None
    assert FileFacts().exact(str(file / "below")) is None


def test_an_unchanged_file_is_hashed_once(tmp_path, monkeypatch):
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    settle(file)
    facts = FileFacts()
    first = facts.python(str(file))
    monkeypatch.setattr(sources, "read_python", None)
    monkeypatch.setattr(sources.hashlib, "file_digest", None)
    assert facts.python(str(file)) == first


def test_an_edit_of_equal_size_with_its_mtime_put_back_is_seen(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    settle(file)
    facts, times = FileFacts(), file.stat()
    before = facts.exact(str(file))
    file.write_text("x = 2\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_ino == times.st_ino
    assert facts.exact(str(file)) != before


def test_edits_within_one_tick_of_the_clock_are_seen(tmp_path):
    file = tmp_path / "a.py"
    facts = FileFacts()
    for number in range(200):
        file.write_text(f"x = {number:04}\n")
        os.utime(file, ns=(1, 1))
        assert facts.exact(str(file)) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_same_content_elsewhere_is_not_parsed_again(tmp_path, monkeypatch):
    facts = FileFacts()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("import b\n")
        (tmp_path / name / "b.py").write_text("y = 1\n")
    tracked = frozenset(["a.py", "b.py"])
    first = python_closure(tmp_path / "one", tracked, "a.py", facts=facts)
    monkeypatch.setattr(sources, "read_python", None)
    assert python_closure(tmp_path / "two", tracked, "a.py", facts=facts) == first


def test_memory_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_REMEMBERED_SOURCES", 3)
    facts = FileFacts()
    for number in range(9):
        (tmp_path / f"{number}.py").write_text(f"x = {number}\n")
        facts.python(str(tmp_path / f"{number}.py"))
    assert len(facts._python) == 3


def test_a_file_that_changed_just_now_is_not_remembered(tmp_path, monkeypatch):
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    facts, changed = FileFacts(), file.stat().st_ctime_ns
    for age, remembered in ((-5, 0), (1, 0), (3_000_000_000, 1)):
        monkeypatch.setattr(sources.time, "time_ns", lambda age=age: changed + age)
        facts.exact(str(file))
        assert len(facts._exact) == remembered
