"""What the tests of claims share."""

import pytest

from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation
from tests.support.rows import add_evaluation, add_project, add_runs


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    return add_evaluation(
        ledger, add_project(ledger), prepared=True, status=Status.RUNNING, started_at=utc_now()
    )


@pytest.fixture
def run_id(ledger: Ledger, evaluation: Evaluation) -> str:
    return add_runs(ledger, evaluation)[0]
