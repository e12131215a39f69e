"""Two machines with one ledger and one bucket: what one made, the other reuses and shows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.gc import Collector, Keep
from provenance.ledger.columns import utc_now
from provenance.ledger.trace_tables import KeyLease
from provenance.store import Store
from provenance.stores.s3 import S3Shelf
from provenance.verify_archive import ArchiveCheck
from tests.pipeline.weather import PROJECT
from tests.support.evaluations import Bench
from tests.support.repository import Repository
from tests.support.s3 import CREDENTIALS, make_bucket, s3_server


@pytest.fixture
def machines(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    tmp_path: Path,
) -> Iterator[list[Bench]]:
    """Two benches with copies of their own, on one ledger and one bucket."""
    first = installation()
    with s3_server() as server:
        options = {**CREDENTIALS, "endpoint": server}
        shelf = S3Shelf(f"s3://{make_bucket(server)}", options, touch_lag=0.0)
        yield [
            Bench(replace(first, store=Store(tmp_path / name, shelf)), runner, hosts)
            for name in ("one", "other")
        ]


def test_what_one_machine_made_another_reuses_and_shows(
    machines: list[Bench], git_project: Callable[..., Repository]
) -> None:
    one, other = machines
    repository = git_project(PROJECT)
    made = one(repository).run
    assert set(made.statuses.values()) == {"executed"}
    assert made.verdict == "passed"
    other.projects.update(one.projects)
    again = other.execute(other.ask(repository, "daily"))
    assert set(again.statuses.values()) == {"reused"}
    assert again.row.html == made.row.html
    assert "there are words" in again.html
    ledger, store = other.installation.ledger, other.installation.store
    with ledger.reading() as session:
        leases = session.query(KeyLease).all()
    assert len(leases) == 3, "one for each job that was executed, and none for what was reused"
    assert all((lease.owner, lease.token) == ("", 1) for lease in leases)
    assert all(lease.until <= utc_now() for lease in leases)
    objects = {item.name for item in store.shelf.items("objects")}
    Collector(store, ledger, Keep(grace=-5)).clear()
    assert {item.name for item in store.shelf.items("objects")} == objects
    assert ArchiveCheck(store, ledger).run().problems == []
