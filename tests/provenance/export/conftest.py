from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provenance.export.subject import Place, Subject, load_subject
from provenance.ledger.engine import Ledger
from provenance.store import Store
from tests.support.ledgers import sqlite_ledger
from tests.support.stories import Writer

PLACE = Place("https://reports.example.org", "1.2.3")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger; what is exported does not depend on its database."""
    found = sqlite_ledger(tmp_path / "ledger.sqlite")
    yield found
    found.close()


@pytest.fixture
def subject_of(archive: Ledger, store: Store) -> Callable[..., Subject]:
    """Write a run and return it as what is exported."""

    def make(*verdict: str, **values: object) -> Subject:
        run = Writer(archive, store).write(*verdict, **values)
        with archive.reading() as session:
            return load_subject(session, store, run, PLACE)

    return make
