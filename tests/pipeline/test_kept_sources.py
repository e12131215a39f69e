"""Texts that results stand on: kept for explanations, and not cleared away under a run."""

import os
from pathlib import Path

from pipeline.kept_sources import keep_sources
from provenance.store import Store

LONG_AGO = 1_000_000_000


def test_a_source_that_is_kept_again_counts_as_used(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (tmp_path / "a.py").write_bytes(b"x = 1")
    exact = store.put_bytes(b"x = 1").sha256
    os.utime(store.path(exact), (LONG_AGO, LONG_AGO))
    keep_sources(store, tmp_path, {"files": [{"path": "a.py", "exact": exact}]})
    assert store.path(exact).stat().st_mtime > LONG_AGO


def test_a_source_that_has_changed_since_it_was_hashed_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (tmp_path / "a.py").write_bytes(b"x = 2")
    keep_sources(store, tmp_path, {"files": [{"path": "a.py", "exact": "0" * 64}]})
    assert list(store.shelf.items("objects")) == []
