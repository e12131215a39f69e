"""What runs took is remembered case by case, and tells how long the next one takes."""

import pytest

from provenance.ledger.engine import Ledger
from provenance.ledger.tables import Project
from provenance.ledger.times import (
    REMEMBERED,
    CaseKey,
    Left,
    Moment,
    Took,
    expected_left,
    expected_seconds,
    expected_times,
    remember_took,
)
from tests.support.evaluations import in_thread
from tests.support.rows import add_project

TOOK = Took(before=2.0, cells={1: 1.0, 3: 4.0}, after=0.5, total=5)


@pytest.fixture
def project(ledger: Ledger) -> Project:
    return add_project(ledger)


def remember(ledger: Ledger, case: CaseKey, *times: Took) -> None:
    for took in times:
        with ledger.writing() as session:
            remember_took(session, case, took)


def expected(ledger: Ledger, case: CaseKey) -> Took | None:
    with ledger.reading() as session:
        return expected_times(session, [case]).get(case)


def test_the_next_run_takes_what_the_last_few_took_whatever_one_of_them_did(
    ledger: Ledger, project: Project
) -> None:
    case = CaseKey(project.id, "daily", "a")
    slow = Took(60.0, {1: 1.0, 3: 90.0}, 0.5, 5)
    remember(ledger, case, TOOK, slow, TOOK)
    assert expected(ledger, case) == TOOK
    with ledger.reading() as session:
        assert expected_seconds(session, [case]) == {case: TOOK.seconds}
    remember(ledger, case, *[slow] * REMEMBERED)
    assert expected(ledger, case) == slow


def test_a_template_with_other_cells_begins_a_new_history(ledger: Ledger, project: Project) -> None:
    case = CaseKey(project.id, "daily", "a")
    changed = Took(1.0, {1: 3.0}, 0.5, 3)
    remember(ledger, case, TOOK, TOOK, changed)
    assert expected(ledger, case) == changed


def test_a_case_without_history_takes_what_others_of_its_report_took(
    ledger: Ledger, project: Project
) -> None:
    remember(ledger, CaseKey(project.id, "daily", "a"), TOOK)
    new, other = CaseKey(project.id, "daily", "b"), CaseKey(project.id, "weekly", "a")
    assert expected(ledger, new) == TOOK
    with ledger.reading() as session:
        assert expected_seconds(session, [new, other]) == {new: TOOK.seconds}
        assert expected_times(session, [other]) == {}


def test_two_runs_of_a_case_that_end_at_once_are_both_remembered(
    ledger: Ledger, project: Project
) -> None:
    case = CaseKey(project.id, "daily", "a")
    with in_thread(remember, ledger, case, TOOK) as answers:
        remember(ledger, case, Took(4.0, TOOK.cells, 0.5, 5))
    assert answers == [None]
    found = expected(ledger, case)
    assert found is not None
    assert found.before == 3.0


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (Moment(elapsed=0.0), Left(7.5, 5.5)),
        (Moment(elapsed=1.5), Left(6.0, 5.5)),
        (Moment(elapsed=9.0), Left(5.5, 5.5)),
        (Moment(3.0, cells_done=2, total=5, since=1.0), Left(3.5, 0.5)),
        (Moment(30.0, cells_done=2, total=5, since=20.0), Left(0.5, 0.5)),
        (Moment(30.0, cells_done=4, total=5, since=0.1), Left(0.4, 0.0)),
        (Moment(3.0, cells_done=2, total=6, since=1.0), Left(4.5, 0.0)),
        (Moment(30.0, cells_done=2, total=6, since=1.0), Left(0.0, 0.0)),
    ],
)
def test_what_is_left_follows_the_cells_and_the_clock(now: Moment, left: Left) -> None:
    assert expected_left(TOOK, now) == pytest.approx(left)
