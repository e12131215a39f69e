"""Which run of each case is the newest, and which cases a report has."""

from sqlalchemy import select

from provenance.ledger.engine import Ledger
from provenance.ledger.intake import CaseToRun, case_key, note_heads, prepare_runs
from provenance.ledger.queries.cases import cases_of
from provenance.ledger.tables import CaseHead, Commit, Evaluation, Project, Run
from tests.support.rows import SHA, add_evaluation, add_project, add_runs


def asked_for(ledger: Ledger, project: Project, *days: str) -> dict[str, str]:
    """Evaluate the report daily on some days; return the ids of the runs by their case."""
    evaluation = add_evaluation(ledger, project)
    cases = [CaseToRun("daily", {"day": day}, {}, {"day": day}) for day in days]
    with ledger.writing() as session:
        row = session.get_one(Evaluation, evaluation.id)
        commit = session.get_one(Commit, (project.id, SHA))
        return {run.case_key: run.id for run in prepare_runs(session, row, commit, cases)}


def heads(ledger: Ledger) -> dict[str, str]:
    with ledger.reading() as session:
        return {head.case_key: head.run_id for head in session.scalars(select(CaseHead))}


def test_the_newest_run_of_each_case_is_known(ledger: Ledger) -> None:
    project = add_project(ledger)
    first = asked_for(ledger, project, "1", "2")
    assert heads(ledger) == first
    second = asked_for(ledger, project, "2", "3")
    assert heads(ledger) == first | second


def test_an_older_run_that_comes_late_is_not_the_newest(ledger: Ledger) -> None:
    project = add_project(ledger)
    first, second = (asked_for(ledger, project, "1") for _ in range(2))
    with ledger.writing() as session:
        note_heads(session, [session.get_one(Run, run_id) for run_id in first.values()])
    assert heads(ledger) == second


def test_the_cases_of_a_report_are_told_apart_by_what_differs(ledger: Ledger) -> None:
    project = add_project(ledger)
    evaluation = add_evaluation(ledger, project)
    for day in ("1", "2"):
        case = {"day": day, "station": "A"}
        add_runs(ledger, evaluation, 3, case=case, case_key=case_key(case))
    whatif = {"day": "9"}
    add_runs(ledger, evaluation, case=whatif, case_key=case_key(whatif), purpose="whatif")
    with ledger.reading() as session:
        found = cases_of(session, [(project.id, "daily"), (project.id, "none")])
    assert [case.label for case in found] == ["1", "2"]
    assert found[0].params == {"day": "1", "station": "A"}
