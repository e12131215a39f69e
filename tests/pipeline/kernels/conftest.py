"""One host for all tests of this room, of the default environment."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.kernels.hosts import KernelHosts
from tests.support.kernels import Kitchen


@pytest.fixture(scope="session")
def kitchen(
    hosts: KernelHosts, default_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Kitchen:
    """Executes notebooks in the default environment, whose larger packages are imported."""
    venv, folder = default_environment.parent.parent, tmp_path_factory.mktemp("kitchen")
    found = Kitchen(venv, hosts, folder, ("matplotlib.pyplot", "numpy", "pandas"))
    assert found.door.exists()
    return found


@pytest.fixture
def own_kitchen(
    kitchen: Kitchen, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., Kitchen]:
    """Make a kitchen with hosts of its own, which are ended with the test."""

    def make(marker: str = "tests:own", **options: object) -> Kitchen:
        hosts = KernelHosts(marker, **options)  # type: ignore[arg-type]
        request.addfinalizer(hosts.stop)
        return Kitchen(kitchen.venv, hosts, tmp_path)

    return make
