"""Deleted runs are gone from every list, and come back whole."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from provenance.datasets.pins import pin
from provenance.ledger.bin import (
    CannotDeleteError,
    CannotRestoreError,
    UnknownDeletionError,
    WhichRunsError,
    delete_runs,
    deletions,
    purge,
    restore,
)
from provenance.ledger.columns import Base, utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.figures import write_figures
from provenance.ledger.finding import DeletedRunError, UnknownRunError, find_run
from provenance.ledger.frozen_rows import of_runs
from provenance.ledger.keeping_tables import BIN_DAYS, BinHold, BinnedRun
from provenance.ledger.marks import add_comment, add_tag
from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.ledger.roots import named_now, read_roots
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import CaseHead, Evaluation, Metric, Run, RunInput, RunJob
from provenance.ledger.text_tables import Figure, PageText
from provenance.ledger.words import note_page, unread_pages, write_words
from tests.support.rows import add_evaluation, add_project, add_runs

FILES = {"html": "a1" * 32, "notebook": "a2" * 32, "log": "a3" * 32, "record": "a4" * 32}


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    return add_evaluation(ledger, add_project(ledger))


@pytest.fixture
def run(ledger: Ledger, evaluation: Evaluation) -> str:
    """A finished run with rows in many tables."""
    ended = {"status": Status.FINISHED, "verdict": Verdict.PASSED, "finished_at": utc_now()}
    (run_id,) = add_runs(ledger, evaluation, dedup_key="once", **ended, **FILES)
    with ledger.writing() as session:
        session.add(Metric(run_id=run_id, name="rmse", position=0, value=14.25, unit="min"))
        job = {"stage": "features", "key": "k", "status": "executed", "sentence": "", "seconds": 1}
        session.add(RunJob(run_id=run_id, position=0, record="b1" * 32, **job))
        file = {"size": 7, "media_type": "text/csv", "producer": "features", "producer_key": "k"}
        session.add(RunInput(run_id=run_id, name="in", sha256="b2" * 32, **file))
        add_tag(session, run_id, "release", "ada")
        add_comment(session, run_id, "Looks good", "eve")
    return run_id


def delete(ledger: Ledger, *run_ids: str) -> str:
    with ledger.writing() as session:
        return delete_runs(session, run_ids, "ada")


def everything(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the tables that runs have rows in, and the heads of cases."""
    tables = [*(table for table, _ in of_runs()), Base.metadata.tables["case_head"]]
    with ledger.reading() as session:
        found = {
            table.name: [dict(row) for row in session.execute(select(table)).mappings()]
            for table in tables
        }
        # A null of JSON is read like one of SQL, and is none to whoever asks for rows without.
        for column in (Run.data, Run.error):
            query = select(Run.id).where(column.is_(None)).order_by(Run.id)
            found[f"no {column.key}"] = [{"id": run_id} for run_id in session.scalars(query)]
    return found


def test_what_is_deleted_leaves_no_row_and_comes_back_as_it_was(ledger: Ledger, run: str) -> None:
    before = everything(ledger)
    deletion = delete(ledger, run)
    assert not any(everything(ledger).values())
    assert before["no data"]
    with ledger.writing() as session:
        assert restore(session, deletion) == [run]
    before["run"][0]["dedup_key"] = None  # the same may have been asked for meanwhile
    assert everything(ledger) == before
    with ledger.reading() as session:
        assert deletions(session) == []
        assert session.scalars(select(BinHold)).all() == []


def test_the_case_goes_on_with_its_newest_run_that_is_left(
    ledger: Ledger, evaluation: Evaluation, run: str
) -> None:
    ended = {"status": Status.FINISHED, "verdict": Verdict.PASSED}
    (newer,) = add_runs(ledger, evaluation, **ended)

    def head() -> str | None:
        with ledger.reading() as session:
            return session.scalar(select(CaseHead.run_id))

    assert head() == newer
    deletion = delete(ledger, newer)
    assert head() == run
    with ledger.writing() as session:
        restore(session, deletion)
    assert head() == newer
    delete(ledger, run)
    assert head() == newer


def test_objects_are_held_while_the_run_can_come_back(ledger: Ledger, run: str) -> None:
    named = {*FILES.values(), "b1" * 32, "b2" * 32}
    delete(ledger, run)
    with ledger.reading() as session:
        roots = read_roots(session, utc_now())
        assert roots.every >= named
        assert FILES["record"] in roots.whole
        assert FILES["html"] in roots.pages
        assert named_now(session, sorted(named)) == named
    over(ledger)
    with ledger.writing() as session:
        assert purge(session, 9) == 1
    with ledger.reading() as session:
        assert not read_roots(session, utc_now()).every & named


def over(ledger: Ledger) -> None:
    """Let the time of all in the bin be over."""
    with ledger.writing() as session:
        session.execute(update(BinnedRun).values(at=utc_now() - timedelta(days=BIN_DAYS, hours=1)))


def test_what_its_page_said_is_forgotten_with_it_unless_others_show_it(
    ledger: Ledger, evaluation: Evaluation, run: str
) -> None:
    with ledger.writing() as session:
        for html in (FILES["html"], "c1" * 32):
            note_page(session, PageText(html=html, project_id=evaluation.project_id, names="x"))
        for page in unread_pages(session, 9):
            write_words(session, page.id, "a secret of the page")
            figure = {"slot": "s", "heading": "", "kind": "table", "media_type": "text/csv"}
            shown = Figure(number=1, sha256=f"{page.id:064}", size=7, cell=1, **figure)
            write_figures(session, page.id, [shown], 1)
    ended = {"status": Status.FINISHED, "verdict": Verdict.PASSED, "html": "c1" * 32}
    first, _ = add_runs(ledger, evaluation, 2, **ended)
    delete(ledger, run, first)
    over(ledger)
    with ledger.writing() as session:
        assert purge(session, 9) == 2
    with ledger.reading() as session:
        assert session.scalars(select(PageText.html)).all() == ["c1" * 32]
        assert len(session.scalars(select(Figure.sha256)).all()) == 1


def about(ledger: Ledger, evaluation: Evaluation, run: str, purpose: str) -> str:
    """Write a run about another; of a reproduction, also what came of it."""
    facts = {"status": Status.FINISHED, "purpose": purpose, "again_of": run}
    (made,) = add_runs(ledger, evaluation, **facts)
    if purpose == "reproduce":
        with ledger.writing() as session:
            write_reproduction(session, Attempted(run, made, "identical", "Same.", {}, "ada"))
    return made


def test_runs_about_a_run_and_about_those_go_and_come_with_it(
    ledger: Ledger, evaluation: Evaluation, run: str
) -> None:
    asked = about(ledger, evaluation, run, "whatif")
    again = about(ledger, evaluation, asked, "reproduce")
    before = everything(ledger)
    deletion = delete(ledger, run)
    assert not any(everything(ledger).values())
    with ledger.writing() as session:
        assert restore(session, deletion) == sorted([run, asked, again])
    before["run"][0]["dedup_key"] = None
    assert everything(ledger) == before


def test_a_reproduction_goes_without_its_original_and_comes_back_after_it(
    ledger: Ledger, evaluation: Evaluation, run: str
) -> None:
    again = about(ledger, evaluation, run, "reproduce")
    before = everything(ledger)
    first = delete(ledger, again)
    assert everything(ledger)["reproduction"] == []
    second = delete(ledger, run)
    with ledger.writing() as session, pytest.raises(CannotRestoreError, match=run) as refused:
        restore(session, first)
    assert second in refused.value.hint
    with ledger.writing() as session:
        restore(session, second)
    with ledger.writing() as session:
        restore(session, first)
    before["run"][0]["dedup_key"] = None
    assert everything(ledger) == before


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_run_that_has_not_ended_is_not_deleted_nor_any_other_with_it(
    ledger: Ledger, evaluation: Evaluation, run: str, status: Status
) -> None:
    (open_run,) = add_runs(ledger, evaluation, status=status)
    with pytest.raises(CannotDeleteError, match=f"{open_run} has not ended"):
        delete(ledger, run, open_run)
    with ledger.reading() as session:
        assert session.get(Run, run) is not None


def test_a_pinned_run_is_not_deleted(ledger: Ledger, run: str) -> None:
    with ledger.writing() as session:
        pin(session, run, "eve", "for the paper")
    with pytest.raises(CannotDeleteError, match="pinned by eve"):
        delete(ledger, run)


def test_a_pin_that_ran_out_holds_nothing(ledger: Ledger, run: str) -> None:
    with ledger.writing() as session:
        pin(session, run, "eve", "", utc_now() - timedelta(days=1))
    delete(ledger, run)


@pytest.mark.parametrize("number", [0, 201])
def test_at_least_one_and_not_too_many_are_named(ledger: Ledger, number: int) -> None:
    with pytest.raises(WhichRunsError, match=f"{number} runs are named"):
        delete(ledger, *(f"run_{one}" for one in range(number)))


def test_what_is_not_there_is_told(ledger: Ledger, run: str) -> None:
    with pytest.raises(UnknownRunError, match="run_none"):
        delete(ledger, run, "run_none")
    deletion = delete(ledger, run)
    with ledger.reading() as session:
        with pytest.raises(DeletedRunError, match="was deleted by ada"):
            find_run(session, run)
        with pytest.raises(UnknownRunError):
            find_run(session, "run_none")
    with ledger.writing() as session:
        restore(session, deletion)
        with pytest.raises(UnknownDeletionError):
            restore(session, deletion)


def test_what_was_deleted_at_once_stands_together_newest_first(
    ledger: Ledger, evaluation: Evaluation, run: str
) -> None:
    first, second = add_runs(ledger, evaluation, 2, status=Status.FINISHED)
    delete(ledger, run)
    delete(ledger, first, second)
    with ledger.reading() as session:
        assert [{one.id for one in each.runs} for each in deletions(session)] == [
            {first, second},
            {run},
        ]
