"""A house to keep: a store and its ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance.store import Store
from tests.support.house import House
from tests.support.ledgers import sqlite_ledger


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    ledger = sqlite_ledger(tmp_path / "ledger.sqlite")
    yield House(Store(tmp_path / "store"), ledger)
    ledger.close()
