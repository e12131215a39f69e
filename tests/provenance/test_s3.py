"""The store and the cache in a bucket, on a private server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import obstore
import pytest

from provenance.cache import Cache
from provenance.gc import Collector, Keep
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import upgrade
from provenance.store import CorruptObjectError, MissingObjectError, Store
from provenance.stores.s3 import BucketError, ObjectStoreMissingError, S3Shelf
from provenance.verify_archive import ArchiveCheck
from tests.provenance.making import commit_some, genuine_record
from tests.support.s3 import CREDENTIALS, make_bucket, s3_server

DATA = b"departures\n" * 1000
KEY = "k" * 64


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def host(server: str, tmp_path: Path) -> Callable[[str], Store]:
    """Give the store as another host sees it: the same bucket, copies of its own."""
    bucket = make_bucket(server)

    def see(name: str) -> Store:
        options = {**CREDENTIALS, "endpoint": server}
        shelf = S3Shelf(f"s3://{bucket}/some/prefix", options, touch_lag=0.0)
        return Store(tmp_path / name, shelf)

    return see


@pytest.fixture
def store(host: Callable[[str], Store]) -> Store:
    return host("one")


def test_what_one_host_puts_another_reads_and_opens(
    host: Callable[[str], Store], tmp_path: Path
) -> None:
    one, other = host("one"), host("other")
    (tmp_path / "large").write_bytes(os.urandom(6 * 1024 * 1024))
    small, large = one.put_bytes(DATA), one.put_file(tmp_path / "large")
    assert one.put_bytes(DATA) == small
    assert one.put_file(tmp_path / "large") == large
    assert other.has(small.sha256)
    assert other.read(small.sha256) == DATA
    other.copy_out(large.sha256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "large").read_bytes()
    assert other.path(large.sha256).stat().st_mode & 0o777 == 0o444
    assert not list((other.root / "incoming").iterdir())


def test_what_is_not_there_is_missing(store: Store) -> None:
    assert not store.has("a" * 64)
    with pytest.raises(MissingObjectError):
        store.read("a" * 64)


def test_a_broken_object_is_set_aside_and_can_be_put_anew(
    host: Callable[[str], Store],
) -> None:
    one, other = host("one"), host("other")
    blob = one.put_bytes(DATA)
    one.shelf.write(f"objects/{blob.sha256[:2]}/{blob.sha256}", DATA[:-1], replace=True)
    with pytest.raises(CorruptObjectError, match=blob.sha256):
        other.read(blob.sha256)
    assert not other.has(blob.sha256)
    assert [item.name for item in other.shelf.items("quarantine")] == [f"quarantine/{blob.sha256}"]
    other.put_bytes(DATA)
    assert other.read(blob.sha256) == DATA


def test_a_broken_copy_is_fetched_anew(store: Store, tmp_path: Path) -> None:
    blob = store.put_bytes(DATA)
    for broken in (b"", DATA[:-1]):
        store.read(blob.sha256)
        store.path(blob.sha256).chmod(0o644)
        store.path(blob.sha256).write_bytes(broken)
        assert store.read(blob.sha256) == DATA
    store.path(blob.sha256).chmod(0o644)
    store.path(blob.sha256).write_bytes(b"")
    store.copy_out(blob.sha256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_of_many_hosts_that_publish_one_key_the_first_is_kept(
    host: Callable[[str], Store],
) -> None:
    def commit(number: int) -> str:
        cache = Cache(host(f"host{number}"))
        return cache.commit(commit_some(cache.store, KEY, b"%d" % number)).record_id

    with ThreadPoolExecutor(8) as pool:
        stood = set(pool.map(commit, range(8)))
    assert len(stood) == 1
    cache = Cache(host("reader"))
    (entry,) = cache.entries(KEY)
    assert stood == {entry.record_id}
    assert cache.lookup(KEY) == entry


@pytest.mark.parametrize("after", [b"forced", None], ids=["replaced", "gone"])
def test_to_touch_a_file_does_not_undo_what_another_host_does_meanwhile(
    host: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch, after: bytes | None
) -> None:
    one, other = host("one").shelf, host("other").shelf
    one.write("actions/k", b"first", replace=False)
    get = obstore.get

    def slowly(*arguments: Any, **options: Any) -> Any:
        found = get(*arguments, **options)
        if after is None:
            other.discard("actions/k")
        else:
            other.write("actions/k", after, replace=True)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(obstore, "get", slowly)
        assert one.touch("actions/k") == (after is not None)
    assert one.exists("actions/k") == (after is not None)
    if after is not None:
        assert one.read("actions/k") == after


@pytest.mark.parametrize("size", [5, 9 * 1024 * 1024])
def test_a_touched_file_is_as_it_was_and_newer(
    store: Store, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    data = os.urandom(size)
    store.shelf.write("objects/x", data, replace=True)
    (before,) = store.shelf.items("objects")
    written: list[object] = []
    put = obstore.put

    def note(*arguments: Any, **options: Any) -> Any:
        written.append(arguments[2])
        return put(*arguments, **options)

    monkeypatch.setattr(obstore, "put", note)
    time.sleep(1.1)  # the server counts in whole seconds
    assert store.shelf.touch("objects/x")
    (after,) = store.shelf.items("objects")
    assert after.modified > before.modified
    assert store.shelf.read("objects/x") == data
    assert [isinstance(one, Path) for one in written] == [size > 5], "large ones by the disk"
    assert not store.shelf.touch("objects/absent")


def test_an_archive_in_a_bucket_is_cleared_and_verified(store: Store, tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    upgrade(ledger)
    entry = Cache(store).commit(genuine_record(store, 1, b"table"))
    orphan = store.put_bytes(b"orphan").sha256
    assert Collector(store, ledger, Keep(grace=3600)).look().garbage == []
    # The server counts in whole seconds, and a grace below zero looks into the future.
    gone = Collector(store, ledger, Keep(grace=-5)).clear().garbage
    assert {one.name.rpartition("/")[2] for one in gone if one.kind == "object"} == {orphan}
    verified = ArchiveCheck(store, ledger).run()
    assert verified.problems == []
    assert verified.checked["objects"] == 2
    name = f"objects/{entry.record_id[:2]}/{entry.record_id}"
    store.shelf.write(name, b"{}", replace=True)
    assert "corrupt" in [found.what for found in ArchiveCheck(store, ledger).run().problems]
    ledger.close()


def test_a_bucket_that_is_not_there_or_refuses_is_told(server: str, tmp_path: Path) -> None:
    options = {**CREDENTIALS, "endpoint": server}
    with pytest.raises(BucketError, match="s3://nowhere"):
        Store(tmp_path, S3Shelf("s3://nowhere/x", options)).put_bytes(b"x")


def test_the_library_is_asked_for_only_where_a_bucket_is_used(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import provenance.stores.s3\n"
        "from provenance.store import Store\n"
        f"Store(Path({str(tmp_path)!r})).put_bytes(b'x')\n"
        "assert 'obstore' not in sys.modules\n"
        "sys.modules['obstore'] = None\n"
        "shelf = provenance.stores.s3.S3Shelf('s3://bucket')\n"
        "try: shelf.exists('x')\n"
        "except provenance.stores.s3.ObjectStoreMissingError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install 'provenote[s3]'" in done.stdout
    assert ObjectStoreMissingError.code == "object_store_missing"
