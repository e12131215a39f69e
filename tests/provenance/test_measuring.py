"""What is measured of a store: each file once for a report, however many runs share it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from provenance.ledger.engine import Ledger
from provenance.ledger.keeping_tables import StorageUse
from provenance.measuring import measure_storage
from provenance.store import Store
from tests.support.rows import add_evaluation, add_project, add_runs


def test_files_are_counted_once_for_a_report_and_once_for_its_project(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance.measuring._AT_ONCE", 2)
    store, project = Store(tmp_path / "store"), add_project(ledger)
    page, log, other = (store.put_bytes(b"x" * size).sha256 for size in (1, 20, 300))
    evaluation = add_evaluation(ledger, project)
    add_runs(ledger, evaluation, 3, html=page, log=log)
    add_runs(ledger, evaluation, 2, html=page, notebook=other, report="other")
    add_runs(ledger, evaluation)
    measure_storage(store, ledger)
    with ledger.reading() as session:
        rows = session.scalars(select(StorageUse)).all()
    found = {(row.project, row.report): (row.runs, row.pages, row.size) for row in rows}
    assert found == {
        (project.name, "daily"): (4, 1, 21),
        (project.name, "other"): (2, 1, 301),
        (project.name, ""): (6, 1, 321),
        ("", ""): (6, 3, 321),
    }
