"""Which run of each page is the newest."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from provenance.ledger.bin import delete_runs, restore
from provenance.ledger.engine import Ledger
from provenance.ledger.page_heads import note_page_heads
from provenance.ledger.states import Status
from provenance.ledger.tables import CaseHead, Evaluation
from provenance.ledger.text_tables import PageText
from provenance.ledger.words import note_page
from tests.support.rows import add_evaluation, add_project, add_runs, newest_runs


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    evaluation = add_evaluation(ledger, add_project(ledger))
    with ledger.writing() as session:
        for html in ("page", "other"):
            note_page(session, PageText(html=html, project_id=evaluation.project_id, names="x"))
    return evaluation


def newest_of_cases(ledger: Ledger) -> dict[str, str]:
    with ledger.reading() as session:
        return {head.case_key: head.run_id for head in session.scalars(select(CaseHead))}


def ended_run(ledger: Ledger, evaluation: Evaluation, html: str, **values: str) -> str:
    (run_id,) = add_runs(ledger, evaluation, html=html, status=Status.FINISHED, **values)
    return run_id


def test_a_later_run_of_a_page_takes_the_place_of_an_earlier_one(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    assert newest_runs(ledger) == {}
    first = ended_run(ledger, evaluation, "page")
    assert newest_runs(ledger) == {"page": first}
    second, other = (ended_run(ledger, evaluation, html) for html in ("page", "other"))
    ended_run(ledger, evaluation, "unknown")
    assert newest_runs(ledger) == {"page": second, "other": other}


def test_runs_about_other_runs_are_no_newest_ones(ledger: Ledger, evaluation: Evaluation) -> None:
    first = ended_run(ledger, evaluation, "page")
    for html in ("page", "other"):
        ended_run(ledger, evaluation, html, purpose="whatif", again_of=first)
    assert newest_runs(ledger) == {"page": first}


def test_what_is_deleted_gives_its_place_back_until_it_returns(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    first, second = (ended_run(ledger, evaluation, "page") for _ in range(2))
    other = ended_run(ledger, evaluation, "other")
    with ledger.writing() as session:
        newest = delete_runs(session, [second, other], "ada")
    assert newest_runs(ledger) == {"page": first}
    with ledger.writing() as session:
        oldest = delete_runs(session, [first], "ada")
    assert newest_runs(ledger) == {}
    for deletion, heads in (
        (oldest, {"page": first}),
        (newest, {"page": second, "other": other}),
    ):
        with ledger.writing() as session:
            restore(session, deletion)
        assert newest_runs(ledger) == heads


def test_an_older_run_that_comes_late_is_not_the_newest(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    newest = ended_run(ledger, evaluation, "page", id="run_9")
    ended_run(ledger, evaluation, "page", id="run_1")
    assert newest_runs(ledger) == {"page": newest}
    with ledger.writing() as session:
        note_page_heads(session, {"page": "run_1", "unknown": "run_1"})
    assert newest_runs(ledger) == {"page": newest}


@pytest.mark.parametrize("heads", [newest_runs, newest_of_cases])
def test_of_two_who_delete_at_once_the_later_one_sees_what_the_earlier_left(
    ledger: Ledger, evaluation: Evaluation, heads: Callable[[Ledger], dict[str, str]]
) -> None:
    first, second, third = (ended_run(ledger, evaluation, "page") for _ in range(3))

    def delete_the_second() -> None:
        with ledger.writing() as session:
            delete_runs(session, [second], "eve")

    other = threading.Thread(target=delete_the_second)
    with ledger.writing() as session:
        delete_runs(session, [third], "ada")
        other.start()
        other.join(1)
        assert other.is_alive(), "it waits"
    other.join()
    assert [*heads(ledger).values()] == [first]


def test_a_run_that_is_noted_while_a_newer_one_is_deleted_takes_its_place(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    _, second, third = (ended_run(ledger, evaluation, "page") for _ in range(3))

    def note_the_second() -> None:
        with ledger.writing() as session:
            note_page_heads(session, {"page": second})

    other = threading.Thread(target=note_the_second)
    with ledger.writing() as session:
        delete_runs(session, [third], "ada")
        other.start()
        other.join(1)
    other.join()
    assert newest_runs(ledger) == {"page": second}
