import pytest

from app.intake.request import Requester, RunRequest, accept_run
from provenance.ledger.cancel import UnknownRunError, cancel_run
from provenance.ledger.claims import claim
from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status, Trigger
from provenance.ledger.tables import Evaluation, Run


@pytest.fixture
def run(installation, project, bell):
    wanted = RunRequest("weather", "daily", {})
    return accept_run(installation, wanted, Requester(Trigger.API, "ada"), bell)


def cancelled(installation, run_id):
    with installation.ledger.writing() as session:
        cancel_run(session, run_id)
    with installation.ledger.reading() as session:
        run = session.get_one(Run, run_id)
        return run, session.get_one(Evaluation, run.evaluation_id)


def test_a_queued_run_ends_at_once_and_its_evaluation_with_it(installation, run):
    found, evaluation = cancelled(installation, run.id)
    assert (found.status, found.verdict) == ("finished", "cancelled")
    assert found.finished_at is not None
    assert (evaluation.status, evaluation.verdict) == ("finished", "cancelled")
    with installation.ledger.writing() as session:
        assert claim(session, Run, run.id, "worker", 60.0) is None


def test_a_running_run_is_told_to_stop(installation, run):
    with installation.ledger.writing() as session:
        assert claim(session, Run, run.id, "worker", 60.0)
    found, evaluation = cancelled(installation, run.id)
    assert (found.status, found.verdict, found.cancel_requested) == ("running", None, True)
    assert evaluation.status == "running"


def test_a_run_that_ended_stays_as_it_is(installation, run):
    with installation.ledger.writing() as session:
        row = session.get_one(Run, run.id)
        row.status, row.verdict, row.finished_at = Status.FINISHED, "passed", utc_now()
    found, _ = cancelled(installation, run.id)
    assert (found.verdict, found.cancel_requested) == ("passed", False)


def test_a_run_that_is_not_there_cannot_be_cancelled(installation):
    with pytest.raises(UnknownRunError), installation.ledger.writing() as session:
        cancel_run(session, "run_0")


def test_other_runs_keep_the_evaluation_open(installation, project, run):
    with installation.ledger.writing() as session:
        other = Run(
            id="run_other",
            evaluation_id=run.evaluation_id,
            project_id=run.project_id,
            report="daily",
            params={},
            case={},
            case_key="k",
            commit_sha="a" * 40,
        )
        session.add(other)
    _, evaluation = cancelled(installation, run.id)
    assert evaluation.status == "running"
    _, evaluation = cancelled(installation, "run_other")
    assert (evaluation.status, evaluation.verdict) == ("finished", "cancelled")
