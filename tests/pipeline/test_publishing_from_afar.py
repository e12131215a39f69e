"""Publishing where the store is far away: the ledger is not held while it is asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import get_ident

import pytest
from sqlalchemy.orm import Session

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.ledger.engine import Ledger
from provenance.store import Store
from provenance.stores.local import LocalShelf
from tests.pipeline.shop import PROJECT, SOLD, Shop
from tests.support.evaluations import Bench
from tests.support.repository import Repository


def test_the_record_of_what_is_current_is_fetched_before_the_ledger_is_held(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    git_project: Callable[..., Repository],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, shelf = installation(), LocalShelf(tmp_path / "shelf")
    one, other = (
        Bench(replace(first, store=Store(tmp_path / name, shelf)), runner, hosts)
        for name in ("one", "other")
    )
    shop = Shop(one, git_project(PROJECT, name="shop"))
    shop.push()
    shop.repository.commit({"stages/sold.py": SOLD.replace("apples", "plums")})
    shop.push()
    shop.repository.commit({"stages/sold.py": SOLD})
    other.projects.update(one.projects)
    held: list[int] = []
    fetched: list[bool] = []
    writing, fetch = Ledger.writing, LocalShelf.fetch

    @contextmanager
    def holding(ledger: Ledger) -> Iterator[Session]:
        with writing(ledger) as session:
            held.append(get_ident())
            try:
                yield session
            finally:
                held.remove(get_ident())

    def note(self: LocalShelf, name: str, target: Path) -> None:
        fetched.append(get_ident() in held)
        fetch(self, name, target)

    monkeypatch.setattr(Ledger, "writing", holding)
    monkeypatch.setattr(LocalShelf, "fetch", note)
    Shop(other, shop.repository).push()
    assert shop.moves == [("publish", 1), ("publish", 2), ("publish", 1)]
    assert fetched, "the other machine has no copies yet"
    assert not any(fetched)
