from collections.abc import Callable

import pytest

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from tests.cases.project import PROJECT, Case
from tests.support.evaluations import Bench
from tests.support.repository import Files, Repository


@pytest.fixture
def bench(installation: Callable[..., Installation], runner: Runner, hosts: KernelHosts) -> Bench:
    """An installation without the default environment, which takes its time to be built."""
    return Bench(installation(), runner, hosts)


@pytest.fixture
def case(bench: Bench, git_project: Callable[..., Repository]) -> Case:
    """The project of the cases, with one commit."""
    return Case(bench, git_project(PROJECT, name="cases"))


@pytest.fixture
def case_of(bench: Bench, git_project: Callable[..., Repository]) -> Callable[[Files], Case]:
    """Make the project of the cases with files of a case's own in its first commit."""

    def make(files: Files) -> Case:
        return Case(bench, git_project({**PROJECT, **files}, name="cases"))

    return make
