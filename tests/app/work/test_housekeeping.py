"""A worker keeps house: pages whose time is over, the bin, what the store takes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.assemble import assemble
from app.settings import Settings
from app.work.housekeeping import clear_expired, empty_bin, measure_if_wanted
from pipeline.installation import Installation
from provenance.gc import Collector, Keep
from provenance.ledger.bin import delete_runs
from provenance.ledger.columns import utc_now
from provenance.ledger.ids import first_id
from provenance.ledger.keeping_tables import BIN_DAYS, BinnedRun, StorageUse
from provenance.ledger.leases import Claimant, acquire, release
from provenance.ledger.queries.storage import ask_to_measure
from provenance.ledger.retention import set_retention
from provenance.ledger.tables import Project, Run
from tests.app.archive.maker import Maker
from tests.support.ledgers import sqlite_ledger


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    sqlite_ledger(tmp_path / "ledger.sqlite").close()
    made = assemble(Settings(home=tmp_path))
    yield made
    made.ledger.close()


@pytest.fixture
def maker(installation: Installation) -> Maker:
    return Maker(installation)


@pytest.fixture
def runs(maker: Maker) -> list[Run]:
    """An old run and a new one of the same case, each with a page and a record of its own."""
    project, made = maker.project(), []
    for days in (40, 1):
        files = {name: maker.keep(f"{name} of {days}".encode()) for name in ("html", "notebook")}
        record = maker.keep(b"{}")
        evaluation = maker.evaluation(maker.commit(project, 50 - days))
        run_id = first_id("run", utc_now() - timedelta(days=days))
        made.append(maker.run(evaluation, id=run_id, record=record, **files))
    return made


def held(installation: Installation, run: Run) -> Run:
    with installation.ledger.reading() as session:
        return session.get_one(Run, run.id)


def test_pages_whose_time_is_over_are_cleared_and_their_bytes_can_go(
    installation: Installation, runs: list[Run]
) -> None:
    old, new = runs
    with installation.ledger.writing() as session:
        set_retention(session, session.get_one(Project, old.project_id), "", 30, "ada")
    assert clear_expired(installation) == 1
    assert clear_expired(installation) == 0
    assert held(installation, old).html is None
    assert held(installation, new).html == new.html
    Collector(installation.store, installation.ledger, Keep(grace=-60.0, days=0.0)).clear()
    kept = {one: installation.store.has(one) for one in (old.html, old.record, new.html) if one}
    assert kept == {old.html: False, old.record: True, new.html: True}


def test_nothing_goes_where_nothing_is_said(installation: Installation, runs: list[Run]) -> None:
    assert clear_expired(installation) == 0
    assert held(installation, runs[0]).html == runs[0].html


def test_the_bin_is_emptied_when_its_time_is_over(
    installation: Installation, runs: list[Run]
) -> None:
    with installation.ledger.writing() as session:
        delete_runs(session, [runs[0].id], "ada")
    assert empty_bin(installation) == 0
    with installation.ledger.writing() as session:
        over = utc_now() - timedelta(days=BIN_DAYS, minutes=1)
        session.execute(update(BinnedRun).values(at=over))
    assert empty_bin(installation) == 1


def test_the_store_is_measured_once_a_day_and_when_somebody_asks(
    installation: Installation, runs: list[Run]
) -> None:
    assert measure_if_wanted(installation)
    assert not measure_if_wanted(installation)
    with installation.ledger.writing() as session:
        whole = session.get_one(StorageUse, ("", ""))
        report = session.get_one(StorageUse, ("flights", "sanity_check"))
        assert (whole.runs, whole.pages) == (2, 5)
        assert (report.runs, report.pages) == (2, 2)
        assert report.size == len("html of 40" + "notebook of 40" + "html of 1" + "notebook of 1")
        assert whole.size == report.size + len("{}")
        ask_to_measure(session)
    with installation.ledger.writing() as session:
        lease = acquire(session, "measure the store", Claimant("another worker", 60.0))
    assert lease is not None
    assert not measure_if_wanted(installation)
    with installation.ledger.writing() as session:
        release(session, lease)
    assert measure_if_wanted(installation)
    with installation.ledger.writing() as session:
        session.execute(update(StorageUse).values(at=utc_now() - timedelta(days=1, minutes=1)))
    assert measure_if_wanted(installation)
