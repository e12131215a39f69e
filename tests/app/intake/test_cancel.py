import pytest

from app.cancelling import cancel_all
from app.intake.request import Push, Requester, RunRequest, accept_push, accept_run
from provenance.ledger.cancel import UnknownEvaluationError, cancel_run
from provenance.ledger.claims import claim
from provenance.ledger.columns import utc_now
from provenance.ledger.finding import UnknownRunError
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


def add_run(installation, run, **values):
    facts = {"project_id": run.project_id, "report": "daily", "commit_sha": "a" * 40}
    facts |= {"evaluation_id": run.evaluation_id, "params": {}, "case": {}, "case_key": "k"}
    with installation.ledger.writing() as session:
        session.add(Run(**(facts | values)))


def test_a_whole_evaluation_is_cancelled_and_what_had_ended_stays(installation, run):
    add_run(installation, run, id="run_1", status=Status.RUNNING, owner="w", attempt=1)
    add_run(installation, run, id="run_2", status=Status.FINISHED, verdict="failed")
    for _ in range(2):  # twice is once
        cancel_all(installation.ledger, run.evaluation_id)
        with installation.ledger.reading() as session:
            found = {row.id: row for row in session.get_one(Evaluation, run.evaluation_id).runs}
        assert (found[run.id].status, found[run.id].verdict) == ("finished", "cancelled")
        assert (found["run_1"].status, found["run_1"].cancel_requested) == ("running", True)
        assert (found["run_2"].verdict, found["run_2"].cancel_requested) == ("failed", False)
    with installation.ledger.reading() as session:
        evaluation = session.get_one(Evaluation, run.evaluation_id)
        assert (evaluation.status, evaluation.cancel_requested) == ("running", True)


def test_an_evaluation_that_nobody_has_prepared_ends_at_once(installation, project, bell):
    push = Push("refs/heads/main", "main", "b" * 40, None, "ada", None)
    made = accept_push(installation.ledger, project, push, bell).evaluation_id
    cancel_all(installation.ledger, made)
    with installation.ledger.writing() as session:
        evaluation = session.get_one(Evaluation, made)
        assert (evaluation.status, evaluation.verdict) == ("finished", "cancelled")
        assert claim(session, Evaluation, made, "worker", 60.0) is None


def test_an_evaluation_that_is_not_there_cannot_be_cancelled(installation):
    with pytest.raises(UnknownEvaluationError):
        cancel_all(installation.ledger, "eval_0")


def test_a_button_leads_back_to_the_page_that_it_is_on_and_nowhere_else(app, client, run):
    app.config["WTF_CSRF_ENABLED"] = False
    evaluation = f"/evaluations/{run.evaluation_id}"
    page = f"/runs/{run.id}"
    backs = {"/": "/", evaluation: evaluation, "": page, "https://evil.example": page}
    for back, leads in backs.items():
        answer = client.post(f"/runs/{run.id}/cancel", data={"back": back})
        assert (answer.status_code, answer.location) == (303, leads)
    answer = client.post(f"{evaluation}/cancel")
    assert (answer.status_code, answer.location) == (303, evaluation)
