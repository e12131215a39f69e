"""Runs about other runs in the ledger: kept apart, compared with what they are about."""

from datetime import timedelta
from typing import Any

import pytest

from provenance.ledger.cancel import cancel_run
from provenance.ledger.claims import give_back
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.history import Case, key_at, key_in, latest_key
from provenance.ledger.ids import new_id
from provenance.ledger.queries.evaluations import latest_evaluations
from provenance.ledger.queries.matrix import project_matrix
from provenance.ledger.queries.metrics import previous_runs
from provenance.ledger.queries.projects import branch_names
from provenance.ledger.reproductions import (
    Attempted,
    answer_of,
    attempts_under_way,
    reproductions_of,
    write_reproduction,
)
from provenance.ledger.search import RunFilter, search_runs
from provenance.ledger.states import ENDED, Status, Trigger
from provenance.ledger.tables import Commit, Evaluation, Project, Run, RunJob
from tests.support.rows import committed_at

SHA = "a" * 40


@pytest.fixture
def project(ledger: Ledger) -> Project:
    made = Project(id=new_id("project"), name="tides", url="https://git.example.org/t.git")
    with ledger.writing() as session:
        session.add(made)
        session.flush()
        facts = {"subject": "One", "author": "Ada", "committed_at": utc_now(), "parent": None}
        session.add(Commit(project_id=made.id, sha=SHA, **facts))
    return made


def run_of(ledger: Ledger, project: Project, about: Run | None = None, **values: Any) -> Run:
    trigger = Trigger(values["purpose"]) if about else Trigger.PUSH
    evaluation = Evaluation(
        id=new_id("eval"), project_id=project.id, trigger=trigger, actor="ada", revision="main",
        branch=f"branch-of-{trigger}",
    )  # fmt: skip
    facts = {"status": Status.FINISHED, "verdict": "passed", "again_of": about and about.id}
    facts |= {"case_key": "c", "commit_sha": SHA, "branch": "main"} | values
    facts["committed_at"] = committed_at(ledger, project.id, facts["commit_sha"])
    run = Run(
        id=new_id("run"), evaluation_id=evaluation.id, project_id=project.id, report="quick",
        params={}, **facts,
    )  # fmt: skip
    with ledger.writing() as session:
        session.add(evaluation)
        session.flush()
        session.add(run)
        session.flush()
        told = {"key": f"key of {run.id}", "status": "executed", "sentence": "", "seconds": 0.0}
        session.add(RunJob(run_id=run.id, position=0, stage="count", **told))
    return run


def test_lists_know_nothing_of_them(ledger: Ledger, project: Project) -> None:
    first = run_of(ledger, project)
    again = run_of(ledger, project, first, purpose="reproduce")
    asked = run_of(ledger, project, first, purpose="whatif")
    with ledger.reading() as session:
        found = {}
        for purpose in (None, "reproduce", "whatif"):
            page = search_runs(session, RunFilter(purpose=purpose), 9, None)
            found[purpose] = [run.id for run in page.runs]
        assert found == {None: [first.id], "reproduce": [again.id], "whatif": [asked.id]}
        (row,) = project_matrix(session, project).rows
        assert [run.id for run in row.cells["quick"]] == [first.id]
        assert [one.id for one in latest_evaluations(session)[0]] == [first.evaluation_id]
        assert list(branch_names(session, project.id)) == ["branch-of-push"]
        case = Case(project.id, "quick", "c")
        assert key_at(session, case, SHA, "count") == f"key of {first.id}"
        assert latest_key(session, case, "count") == f"key of {first.id}"
        assert key_in(session, asked.id, "count") == f"key of {asked.id}"
        assert key_in(session, asked.id, "other") is None


def test_they_are_compared_with_what_they_are_about_and_nothing_with_them(
    ledger: Ledger, project: Project
) -> None:
    first, second = run_of(ledger, project), run_of(ledger, project)
    again = run_of(ledger, project, first, purpose="reproduce")
    third = run_of(ledger, project)
    with ledger.reading() as session:
        assert previous_runs(session, [again.id, third.id]) == {
            again.id: first.id,
            third.id: second.id,
        }


def test_what_was_pushed_together_is_compared_in_the_order_of_commits_whatever_came_first(
    ledger: Ledger, project: Project
) -> None:
    parent = "b" * 40
    with ledger.writing() as session:
        earlier = utc_now() - timedelta(hours=1)
        facts = {"subject": "Zero", "author": "Ada", "committed_at": earlier, "parent": None}
        session.add(Commit(project_id=project.id, sha=parent, **facts))
    child = run_of(ledger, project)
    of_parent = run_of(ledger, project, commit_sha=parent)
    again = run_of(ledger, project)
    with ledger.reading() as session:
        found = previous_runs(session, [child.id, of_parent.id, again.id])
    assert found == {child.id: of_parent.id, again.id: child.id}


def test_a_commit_is_not_compared_with_what_was_never_committed(
    ledger: Ledger, project: Project
) -> None:
    first = run_of(ledger, project)
    tries = [run_of(ledger, project, dirty="d" * 64) for _ in range(2)]
    second = run_of(ledger, project)
    with ledger.reading() as session:
        found = previous_runs(session, [*(one.id for one in tries), second.id])
    assert found == {tries[0].id: first.id, tries[1].id: tries[0].id, second.id: first.id}


def test_a_job_has_the_key_that_it_had_for_the_same_case_before(
    ledger: Ledger, project: Project
) -> None:
    mine = run_of(ledger, project)
    run_of(ledger, project, case_key="another")
    dirty = run_of(ledger, project, dirty="d" * 64)
    with ledger.reading() as session:
        case = Case(project.id, "quick", "c")
        assert key_at(session, case, SHA, "count") == f"key of {mine.id}"
        assert latest_key(session, case, "count") == f"key of {dirty.id}"
        assert key_at(session, case, None, "count") is None


def test_a_reproduction_that_is_called_off_before_it_begins_leaves_an_answer(
    ledger: Ledger, project: Project
) -> None:
    first = run_of(ledger, project)
    queued = {"status": Status.QUEUED, "verdict": None}
    again = run_of(ledger, project, first, purpose="reproduce", **queued)
    other = run_of(ledger, project, first, purpose="whatif", **queued)
    plain = run_of(ledger, project, **queued)
    with ledger.writing() as session:
        for run in (again, again, other, plain):
            cancel_run(session, run.id)
    with ledger.reading() as session:
        (row,) = reproductions_of(session, first.id)
        assert (row.again, row.answer, row.actor) == (again.id, "cannot", "ada")
        assert row.sentence == "Cannot be reproduced, because the attempt was cancelled."
        assert row.details == {"because": "the attempt was cancelled"}
        assert list(attempts_under_way(session, first.id)) == []


def test_of_one_that_waited_for_a_source_the_answer_says_so(
    ledger: Ledger, project: Project
) -> None:
    first = run_of(ledger, project)
    error = {"kind": "unavailable", "message": "The source loans does not answer."}
    waiting = {"status": Status.QUEUED, "verdict": None, "error": error, "purpose": "reproduce"}
    again = run_of(ledger, project, first, **waiting)
    with ledger.writing() as session:
        cancel_run(session, again.id)
    with ledger.reading() as session:
        (row,) = reproductions_of(session, first.id)
        told = "Cannot be reproduced, because the source loans does not answer."
        assert row.sentence == told


@pytest.mark.parametrize(
    ("values", "because"),
    [
        ({"attempt": 3}, "its worker was lost 3 times in a row"),
        ({"attempt": 1, "cancel_requested": True}, "the attempt was cancelled"),
    ],
)
def test_a_reproduction_whose_worker_is_lost_for_good_leaves_an_answer(
    ledger: Ledger, project: Project, values: dict[str, Any], because: str
) -> None:
    first = run_of(ledger, project)
    running = {"status": Status.RUNNING, "verdict": None, "purpose": "reproduce"}
    again = run_of(ledger, project, first, **running, **values)
    with ledger.writing() as session:
        assert give_back(session, Run, again.id) in ENDED
    with ledger.reading() as session:
        (row,) = reproductions_of(session, first.id)
        assert row.sentence == f"Cannot be reproduced, because {because}."


def test_answers_are_kept_with_what_they_stand_on(ledger: Ledger, project: Project) -> None:
    first = run_of(ledger, project)
    again = run_of(ledger, project, first, purpose="reproduce")
    going = run_of(ledger, project, first, purpose="reproduce", status=Status.RUNNING)
    with ledger.writing() as session:
        told = {"findings": [{"before": "a\0b"}], "tolerance": 1e-9}
        write_reproduction(session, Attempted(first.id, None, "cannot", "Cannot.", {}, "ada"))
        write_reproduction(session, Attempted(first.id, again.id, "differs", "D\0.", told, "ada"))
    with ledger.reading() as session:
        newest, oldest = reproductions_of(session, first.id)
        assert (newest.answer, newest.sentence, oldest.answer) == ("differs", "D.", "cannot")
        assert newest.details == {"findings": [{"before": "ab"}], "tolerance": 1e-9}
        assert answer_of(session, again.id) is not None
        assert answer_of(session, going.id) is None
        assert list(attempts_under_way(session, first.id)) == [going.id]
        assert list(reproductions_of(session, again.id)) == []
