"""Pages go when their time is over; what is newest or pinned stays, and every record."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from provenance.datasets.pins import pin
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.ids import first_id
from provenance.ledger.queries.projects import UnknownReportError
from provenance.ledger.retention import (
    BadRetentionError,
    Rule,
    expire,
    retentions,
    rules,
    set_retention,
)
from provenance.ledger.roots import read_roots
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Evaluation, Project, Run
from provenance.ledger.text_tables import PageText
from tests.support.rows import add_evaluation, add_project, add_runs, newest_runs, publish_page


@pytest.fixture
def project(ledger: Ledger) -> Project:
    return add_project(ledger)


@pytest.fixture
def evaluation(ledger: Ledger, project: Project) -> Evaluation:
    return add_evaluation(ledger, project)


def run_of(ledger: Ledger, evaluation: Evaluation, days: int, **values: Any) -> str:
    """Write a run that was asked for so many days ago, with files of its own."""
    run_id = first_id("run", utc_now() - timedelta(days=days))[:-2] + f"{days:02}"[-2:]
    files = {name: f"{name} of {run_id}" for name in ("html", "notebook", "log", "record")}
    ended = {"status": Status.FINISHED, "verdict": Verdict.PASSED}
    add_runs(ledger, evaluation, id=run_id, **(files | ended | values))
    return run_id


def expired(ledger: Ledger, project: Project, days: int, report: str = "daily") -> list[str]:
    with ledger.writing() as session:
        expire(session, Rule(project.id, report, days), 99)
    with ledger.reading() as session:
        gone = select(Run.id).where(Run.expired_at.is_not(None)).order_by(Run.id)
        return [*session.scalars(gone)]


def test_older_pages_go_and_their_records_stay(
    ledger: Ledger, project: Project, evaluation: Evaluation
) -> None:
    old = run_of(ledger, evaluation, 40)
    middle = run_of(ledger, evaluation, 20)
    run_of(ledger, evaluation, 10)
    assert expired(ledger, project, 30) == [old]
    with ledger.reading() as session:
        run = session.get_one(Run, old)
        roots = read_roots(session, utc_now())
    assert (run.html, run.notebook, run.log) == (None, None, None)
    assert run.record == f"record of {old}"
    assert run.record in roots.told
    assert run.record not in roots.whole
    assert expired(ledger, project, 15) == [old, middle]


def test_the_newest_page_of_a_case_stays_however_old_it_is(
    ledger: Ledger, project: Project, evaluation: Evaluation
) -> None:
    run_of(ledger, evaluation, 50, case_key="one")
    old = run_of(ledger, evaluation, 60, case_key="two")
    run_of(ledger, evaluation, 45, case_key="two")
    # A newer run that came to no page does not stand for one.
    run_of(ledger, evaluation, 5, case_key="one", html=None, verdict=Verdict.ERROR)
    assert expired(ledger, project, 30) == [old]


def test_what_is_pinned_stays(ledger: Ledger, project: Project, evaluation: Evaluation) -> None:
    old = run_of(ledger, evaluation, 40)
    run_of(ledger, evaluation, 1)
    with ledger.writing() as session:
        pin(session, old, "ada", "for the paper", utc_now() + timedelta(days=1))
    assert expired(ledger, project, 30) == []


def test_other_reports_stay(ledger: Ledger, project: Project, evaluation: Evaluation) -> None:
    for days in (40, 39):
        run_of(ledger, evaluation, days, report="other")
    assert expired(ledger, project, 30) == []


def test_a_report_has_its_own_rule_or_that_of_its_project(
    ledger: Ledger, project: Project, evaluation: Evaluation
) -> None:
    add_runs(ledger, evaluation, report="daily")
    add_runs(ledger, evaluation, report="other")
    with ledger.writing() as session:
        set_retention(session, project, "", 90, "ada")
        set_retention(session, project, "daily", 30, "ada")
        set_retention(session, project, "daily", 7, "eve")
    with ledger.reading() as session:
        found = {(rule.report, rule.days) for rule in rules(session)}
    assert found == {("daily", 7), ("other", 90)}
    with ledger.writing() as session:
        set_retention(session, project, "daily", None, "ada")
        assert {report for _, report in retentions(session)} == {""}


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_days_that_are_none_are_refused(ledger: Ledger, project: Project, days: int) -> None:
    with ledger.writing() as session, pytest.raises(BadRetentionError, match="expected 1 to"):
        set_retention(session, project, "", days, "ada")


def test_a_report_that_is_not_there_is_told(ledger: Ledger, project: Project) -> None:
    with ledger.writing() as session, pytest.raises(UnknownReportError):
        set_retention(session, project, "dialy", 9, "ada")


def test_a_page_without_runs_is_found_by_no_word_and_one_that_others_show_by_theirs(
    ledger: Ledger, project: Project, evaluation: Evaluation
) -> None:
    old = run_of(ledger, evaluation, 40, html="both")
    run_of(ledger, evaluation, 30, html="one")
    other = run_of(ledger, evaluation, 41, html="both", report="other")
    run_of(ledger, evaluation, 1)
    with ledger.writing() as session:
        for html in ("both", "one"):
            publish_page(session, PageText(html=html, project_id=project.id, names="x"))
    assert newest_runs(ledger)["both"] == old
    expired(ledger, project, 20)
    assert newest_runs(ledger) == {"both": other}
