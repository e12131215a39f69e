"""What tests of all floors share: repositories, installations, a runner, a database server."""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from pipeline.environments import environment_for, lock_of
from pipeline.installation import Installation, Limits, SourceUrls
from pipeline.kernels.hosts import KernelHosts
from pipeline.kernels.wanted import HostWanted
from pipeline.repository.tree import MemoryTree
from pipeline.runner.client import Runner
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import upgrade
from provenance.store import Store
from tests.support.browsing import CHROMIUM, chromium
from tests.support.evaluations import Bench
from tests.support.ledgers import sqlite_ledger
from tests.support.postgres import postgresql_binaries, postgresql_server
from tests.support.repository import Files, Repository, make_repository

# Half of Hypothesis's own number: the whole suite has its fifteen minutes, and each run of it
# tries other examples. HYPOTHESIS_EXAMPLES=1000 looks longer.
settings.register_profile("here", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")))
settings.load_profile("here")


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of environments that all tests share, those of other test workers too."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "environments"
    home.mkdir(exist_ok=True)
    return home


@pytest.fixture(scope="session")
def default_environment(environments: Path) -> Path:
    """The interpreter of the default environment; building it holds a lock of its own."""
    return environment_for(environments, lock_of(MemoryTree({}), None)).python


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser for the tests of a module; each page has a context of its own."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium: apt-get install chromium")
    with chromium() as started:
        yield started


@pytest.fixture
def git_project(tmp_path: Path) -> Callable[..., Repository]:
    """Make a repository, by default called weather, from the files of each commit."""

    def make(*commits: Files, name: str = "weather") -> Repository:
        return make_repository(tmp_path / "repositories" / name, *commits)

    return make


@pytest.fixture
def installation(tmp_path: Path, environments: Path) -> Iterator[Callable[..., Installation]]:
    """Make an installation with an empty ledger; environments are those of all tests."""
    made: list[Installation] = []

    def make(
        *,
        url: str | None = None,
        sources: dict[str, str] | None = None,
        limits: Limits | None = None,
        allow_file_repositories: bool = True,
    ) -> Installation:
        home = tmp_path / f"home{len(made) or ''}"
        home.mkdir()
        (home / "environments").symlink_to(environments)
        ledger = _migrated_at(url) if url else sqlite_ledger(home / "ledger.sqlite")
        found = Installation(
            home=home,
            ledger=ledger,
            store=Store(home / "store"),
            base_url="http://localhost:8000",
            source_urls=SourceUrls(sources or {}),
            limits=limits or Limits(),
            allow_file_repositories=allow_file_repositories,
        )
        made.append(found)
        return found

    yield make
    for one in made:
        one.ledger.close()


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """A runner that is warm after its first job; one that a test has killed starts again.

    It ends with the thread that starts it: that must not be one of a test.
    """
    found = Runner()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def fresh_runner() -> Iterator[Runner]:
    """A runner that takes over the environment as a test has made it."""
    found = Runner()
    yield found
    found.stop()


@pytest.fixture
def runner_pair(runner: Runner, fresh_runner: Runner) -> list[Runner]:
    """Two runners, for two runs at once."""
    return [runner, fresh_runner]


@pytest.fixture(scope="session")
def hosts() -> Iterator[KernelHosts]:
    """Kernel hosts for all tests of this process."""
    found = _HostsForAll(f"tests:{os.getpid()}")
    yield found
    found.stop()


class _HostsForAll(KernelHosts):
    """One host an environment, whatever a test's notebooks import, and in whichever home it is.

    Each test would otherwise start one of its own.
    """

    def door(self, wanted: HostWanted) -> Path:
        named = [name for name in wanted.preload if name in sys.stdlib_module_names]
        preload = (*named, "matplotlib.pyplot", "pandas")
        shared = str(Path(wanted.venv).resolve())
        return super().door(replace(wanted, venv=shared, preload=preload))


@pytest.fixture
def evaluate(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
) -> Bench:
    """Evaluate a push: ``evaluate(repository)`` returns its rows and pages."""
    return Bench(installation(), runner, hosts)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a private PostgreSQL server, without a database."""
    binaries = postgresql_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Hundreds of databases are made, and none is to be tidied up or to survive a failing power.
    with postgresql_server(binaries, autovacuum="off", full_page_writes="off") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    """A database with the ledger's tables, to be copied."""
    _command(postgresql, "CREATE DATABASE migrated")
    _migrated_at(f"{postgresql}/migrated").close()
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on each of the servers that are supported."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    server: str = request.getfixturevalue("postgresql")
    return f"{server}/{_new_database(server)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with its tables, on each of the servers that are supported."""
    if request.param == "sqlite":
        found = sqlite_ledger(tmp_path / "ledger.sqlite")
    else:
        server = request.getfixturevalue("postgresql")
        template = request.getfixturevalue("migrated_postgresql")
        found = Ledger(f"{server}/{_new_database(server, template)}")
    yield found
    found.close()


def _migrated_at(url: str) -> Ledger:
    ledger = Ledger(url)
    upgrade(ledger)
    return ledger


def _new_database(server: str, template: str = "template1") -> str:
    name = f"test_{uuid.uuid4().hex}"
    # Files are copied in half the time that it takes to write them as a log.
    _command(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return name


def _command(server: str, statement: str) -> None:
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
