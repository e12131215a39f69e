"""Sidecars that were made to break whoever verifies them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.cache import Cache
from provenance.record import sidecar
from provenance.store import Store
from provenance.verify import Verified, verify_sidecar
from tests.provenance.making import genuine_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The sidecar of one of two outputs, and the output beside it."""
    store = Store(tmp_path / "store")
    entry = Cache(store).commit(genuine_record(store, 1, b"one", b"two"))
    output = entry.record.outputs[0]
    (tmp_path / "one.txt").write_bytes(b"one")
    found = tmp_path / "one.txt.prov.json"
    found.write_bytes(sidecar(entry.record, entry.record_id, output))
    return found


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def act(path: Path) -> None:
        body = json.loads(path.read_bytes())
        change(body)
        path.write_text(json.dumps(body))

    return act


def replaced(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def act(path: Path) -> None:
        path.unlink()
        make(path)

    return act


HOSTILE: dict[str, Callable[[Path], object]] = {
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "half a character": edited(lambda body: body.update(name="\ud800")),
    "half a character in the preimage": edited(
        lambda body: body["preimage"].update(stage="\ud800")
    ),
    "very many outputs": edited(lambda body: body["siblings"].extend(body["siblings"] * 2_500)),
    "a folder": replaced(lambda path: path.mkdir()),
    "a pipe": replaced(os.mkfifo),
    "a device": replaced(lambda path: path.symlink_to("/dev/zero")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_told_as_any_other_that_cannot_be_read(path: Path, name: str) -> None:
    HOSTILE[name](path)
    verified = Verified()
    verify_sidecar(path, None, verified)
    assert "sidecar" in [found.what for found in verified.problems]


def test_a_digest_that_is_none_is_told(path: Path, tmp_path: Path) -> None:
    edited(lambda body: body["output"].update(sha256="../../etc/passwd"))(path)
    verified = Verified()
    verify_sidecar(path, Store(tmp_path / "store"), verified)
    assert verified.problems
