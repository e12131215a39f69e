from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Ended, Home, make_home
from tests.support.repository import Repository
from tests.support.tides import make_tides


@dataclass(frozen=True)
class Desk:
    """Somebody at a terminal, in the working tree of the project ``tides``."""

    home: Home
    repository: Repository

    def __call__(self, *arguments: str, **settings: str) -> Ended:
        """Run a command here."""
        return self.home.run(*arguments, cwd=self.repository.path, **settings)

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Run a command with ``--json`` and return its document."""
        done = self(*arguments, "--json")
        assert done.status == status, done.err
        return done.json


@pytest.fixture
def home(tmp_path: Path, environments: Path, default_environment: Path) -> Iterator[Home]:
    made = make_home(tmp_path, environments)
    yield made
    made.kill()


@pytest.fixture
def desk(home: Home, tmp_path: Path) -> Desk:
    return Desk(home, make_tides(tmp_path / "tides"))


@pytest.fixture(scope="module")
def used_desk(
    tmp_path_factory: pytest.TempPathFactory, environments: Path, default_environment: Path
) -> Desk:
    """A desk at which the report ``quick`` was run once; tests change nothing in its project."""
    folder = tmp_path_factory.mktemp("used")
    made = Desk(make_home(folder, environments), make_tides(folder / "tides"))
    assert made("run", "quick").status == 0
    return made
