"""Kernels forked from a host that has libraries of many threads imported."""

import os
from pathlib import Path

import pytest

from pipeline.kernels.hosts import KernelHosts
from tests.bench.forks import PRELOAD, environment, fork
from tests.support.kernels import Kitchen


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_in_a_row_compute_what_fresh_ones_do_and_cost_their_host_nothing(
    environments: Path, tmp_path: Path
) -> None:
    venv = environment(environments)
    hosts = KernelHosts(f"forks:{os.getpid()}")
    try:
        found = fork(Kitchen(venv.root, hosts, tmp_path, PRELOAD), 5, 600.0)
    finally:
        hosts.stop()
    assert found.different == []
    assert found.kernels == 5
    assert found.ended.files == found.settled.files
    assert found.ended.threads == found.settled.threads
    assert found.ended.processes == 0
    assert found.ended.private - found.settled.private < 4_000_000
