"""The store: whole objects or none, checked when they are read."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provenance.cache import Cache
from provenance.files import durable_file, write_durably
from provenance.store import CorruptObjectError, MissingObjectError, Store

ROOT = Path(__file__).resolve().parents[2]
DATA = b"departures\n" * 1000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def damage(store: Store, sha256: str, data: bytes) -> None:
    path = store.path(sha256)
    path.chmod(0o644)
    path.write_bytes(data)


def sound(store: Store) -> int:
    """Check every object against its name and return how many there are."""
    objects = [path for path in (store.root / "objects").rglob("*") if path.is_file()]
    whole = [path for path in objects if not path.name.startswith(".tmp-")]
    for path in whole:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    return len(whole)


def test_an_object_is_named_for_its_bytes_and_read_back(store: Store, tmp_path: Path) -> None:
    blob = store.put_bytes(DATA)
    assert (blob.sha256, blob.size) == (hashlib.sha256(DATA).hexdigest(), len(DATA))
    (tmp_path / "file").write_bytes(DATA)
    assert store.put_file(tmp_path / "file") == blob == store.put_bytes(DATA)
    assert store.has(blob.sha256)
    assert store.read(blob.sha256) == DATA
    assert store.put_bytes(b"").size == 0
    assert sound(store) == 2
    assert list((store.root / "incoming").iterdir()) == []


def test_a_large_file_is_hashed_while_it_is_copied(store: Store, tmp_path: Path) -> None:
    data = os.urandom(3 * 1024 * 1024 + 17)
    (tmp_path / "large").write_bytes(data)
    blob = store.put_file(tmp_path / "large")
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    assert store.read(blob.sha256) == data


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "/" * 64, "é" * 64]
)
def test_what_is_no_digest_names_no_object(store: Store, name: str) -> None:
    for ask in (store.path, store.has, store.read, store.open):
        with pytest.raises(MissingObjectError):
            ask(name)


def test_a_missing_object_is_said_to_be_missing(store: Store, tmp_path: Path) -> None:
    absent = "a" * 64
    assert not store.has(absent)
    with pytest.raises(MissingObjectError, match=absent):
        store.read(absent)
    with pytest.raises(MissingObjectError):
        store.copy_out(absent, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("broken", [DATA[:-1], b"", DATA[:-1] + b"!"])
def test_a_corrupted_object_is_refused_set_aside_and_can_be_put_anew(
    store: Store, tmp_path: Path, broken: bytes
) -> None:
    blob = store.put_bytes(DATA)
    damage(store, blob.sha256, broken)
    with pytest.raises(CorruptObjectError, match=blob.sha256):
        store.copy_out(blob.sha256, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert not store.has(blob.sha256)
    assert store.put_bytes(DATA) == blob
    assert store.read(blob.sha256) == DATA
    damage(store, blob.sha256, broken)
    with pytest.raises(CorruptObjectError, match=r"no longer has the bytes .* Run it again"):
        store.read(blob.sha256)
    assert (store.root / "quarantine" / blob.sha256).read_bytes() == broken


def test_writing_to_a_copy_leaves_the_original_unharmed(store: Store, tmp_path: Path) -> None:
    blob = store.put_bytes(DATA)
    copy = tmp_path / "deep" / "copy.txt"
    store.copy_out(blob.sha256, copy)
    with copy.open("ab") as handle:
        handle.write(b"more")
    assert copy.read_bytes() == DATA + b"more"
    assert store.read(blob.sha256) == DATA
    with pytest.raises(FileExistsError):
        store.copy_out(blob.sha256, copy)


def test_a_copy_is_a_file_of_its_own_and_writable(store: Store, tmp_path: Path) -> None:
    blob = store.put_bytes(DATA)
    store.copy_out(blob.sha256, tmp_path / "copy")
    original, copy = store.path(blob.sha256).stat(), (tmp_path / "copy").stat()
    assert (original.st_dev, original.st_ino) != (copy.st_dev, copy.st_ino)
    assert (original.st_nlink, copy.st_nlink) == (1, 1)
    assert copy.st_mode & stat.S_IWUSR


def test_keeping_the_same_bytes_again_makes_the_object_young(store: Store, tmp_path: Path) -> None:
    """Clearing away spares what is young: somebody is about to name it."""
    blob = store.put_bytes(DATA)
    (tmp_path / "file").write_bytes(DATA)
    for put in (lambda: store.put_bytes(DATA), lambda: store.put_file(tmp_path / "file")):
        os.utime(store.path(blob.sha256), (1000, 1000))
        put()
        assert store.path(blob.sha256).stat().st_mtime > 1_000_000


LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from provenance.cache import Cache
from provenance.files import DiskFullError
from provenance.store import Store
from tests.provenance.making import record_of
root, large = Path(sys.argv[1]), Path(sys.argv[2])
store = Store(root)
small = store.put_bytes(b"small")
kept = store.put_file(large)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for write in (
    lambda: store.put_bytes(b"x" * 200_000),
    lambda: store.put_file(large.with_name("other")),
    lambda: store.copy_out(kept.sha256, root.parent / "copy"),
    lambda: Cache(store).commit(record_of("k" * 64, extra={"text": "x" * 100_000})),
):
    try:
        write()
    except DiskFullError as error:
        print(error.code, "disk" in error.message, error.hint != "")
assert store.read(small.sha256) == b"small"
"""


def test_on_a_full_disk_writing_ends_with_words_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(100_000))
    (tmp_path / "other").write_bytes(os.urandom(100_000))
    command = [sys.executable, "-c", LITTLE_ROOM, tmp_path / "store", tmp_path / "large"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["disk_full True True"] * 4
    store = Store(tmp_path / "store")
    assert sound(store) == 2
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"large", "other", *(path.name for path in store.root.rglob("objects/*/*"))}


def test_many_put_the_same_bytes_at_once(store: Store, tmp_path: Path) -> None:
    data = os.urandom(2 * 1024 * 1024)
    (tmp_path / "file").write_bytes(data)
    gate = threading.Barrier(8)

    def put(number: int) -> object:
        gate.wait()
        return store.put_file(tmp_path / "file") if number % 2 else store.put_bytes(data)

    with ThreadPoolExecutor(8) as pool:
        blobs = set(pool.map(put, range(8)))
    assert len(blobs) == 1
    assert sound(store) == 1
    left = [path for path in store.root.rglob("*") if path.is_file()]
    assert len(left) == 1, "nothing temporary is left"


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file"

    def write_half() -> None:
        with durable_file(target) as handle:
            handle.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert list(target.parent.iterdir()) == []
    write_durably(target, b"first")
    with pytest.raises(FileExistsError):
        write_durably(target, b"second", replace=False)
    assert target.read_bytes() == b"first"
    write_durably(target, b"third", mode=0o644)
    assert target.read_bytes() == b"third"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


CRASHING = """
import os, signal, sys
from pathlib import Path
from provenance.cache import Cache
from provenance.store import Store
from tests.provenance.making import output_of, record_of

base, source = Path(sys.argv[1]), Path(sys.argv[2])
ours = {f"{name}.py" for name in ("files", "store", "cache", "local", "single_flight")}

def trace(frame, event, _):
    code = frame.f_code.co_filename
    if "/provenance/" not in code or code.rpartition("/")[2] not in ours:
        return None
    if event == "line":
        trace.left -= 1
        if trace.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace

def work(root):
    store = Store(root)
    outputs = output_of(store.put_file(source), "a"), output_of(store.put_bytes(b"b" * 9), "b")
    cache = Cache(store)
    with cache.single_flight("k" * 64, lambda: None):
        cache.commit(record_of("k" * 64, *outputs))

work(base / "warm")
step = 0
while True:
    step += 1
    child = os.fork()
    if child == 0:
        trace.left = step
        sys.settrace(trace)
        work(base / str(step))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(step)
"""


def test_a_kill_between_any_two_lines_leaves_no_corrupt_object_and_no_dangling_action(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.write_bytes(DATA)
    command = [sys.executable, "-c", CRASHING, str(tmp_path), str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 60, "the kill must fall into every step"
    entries = 0
    for step in range(1, steps + 1):
        store = Store(tmp_path / str(step))
        sound(store)
        cache = Cache(store)
        recorded = cache.recorded("k" * 64)
        assert recorded == cache.lookup("k" * 64), "an action is written last"
        entries += recorded is not None
        with cache.single_flight("k" * 64, lambda: pytest.fail("the lock is still held")):
            again = store.put_file(source)
        assert store.read(again.sha256) == DATA
    assert 1 <= entries < steps
