"""How far runs are, the queue, and whether anything has moved, on each kind of ledger."""

from datetime import timedelta

import pytest

from provenance.ledger.cancel import call_off_evaluation, cancel_runs
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.queries.evaluations import evaluation_token
from provenance.ledger.queries.home import home_token
from provenance.ledger.queries.live import Seen, seen_of
from provenance.ledger.queries.progress import Progress, progress_of
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Run, RunEvent
from provenance.ledger.times import CaseKey, Took, remember_took
from tests.support.claiming import take
from tests.support.rows import add_evaluation, add_project, add_runs


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    return add_evaluation(ledger, add_project(ledger), prepared=True, status=Status.RUNNING)


def progress(ledger: Ledger, *run_ids: str) -> list[Progress]:
    with ledger.reading() as session:
        runs = [session.get_one(Run, run_id) for run_id in run_ids]
        told = progress_of(session, runs)
    return [told[run_id] for run_id in run_ids]


def change(ledger: Ledger, run_id: str, **values: object) -> None:
    with ledger.writing() as session:
        for name, value in values.items():
            setattr(session.get_one(Run, run_id), name, value)


def test_a_queue_is_as_long_as_what_stands_before_on_as_many_workers_as_are_busy(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    one, two, *waiting = add_runs(ledger, evaluation, 6)
    for run_id in (one, two):
        take(ledger, run_id)
    assert [told.wait for told in progress(ledger, *waiting)] == [None] * 4, "nobody knows"
    with ledger.writing() as session:
        run = session.get_one(Run, one)
        remember_took(session, CaseKey(run.project_id, run.report, run.case_key), _took(100))
    change(ledger, one, started_at=utc_now() - timedelta(seconds=60))
    told = progress(ledger, *waiting)
    assert [one.position for one in told] == [1, 2, 3, 4]
    assert [one.wait for one in told] == pytest.approx([40, 100, 140, 200], abs=5)
    change(ledger, waiting[0], run_after=utc_now() + timedelta(seconds=60))
    first, second, *_ = progress(ledger, *waiting)
    assert (first.position, first.tried_again_at is None) == (None, False)
    assert second.position == 1


def _took(seconds: float) -> Took:
    return Took(seconds, {}, 0.0, 0)


def test_what_a_page_has_seen_changes_with_each_thing_that_it_shows(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    first, second = add_runs(ledger, evaluation, 2)

    def seen() -> tuple[str, str, str]:
        with ledger.reading() as session:
            run = str(seen_of(session, session.get_one(Run, second)))
            return run, home_token(session), evaluation_token(session, evaluation.id)

    waits = seen()
    assert seen() == waits
    take(ledger, first)
    moved = seen()
    assert all(now != before for now, before in zip(moved, waits, strict=True))
    take(ledger, second)
    before = seen()
    change(ledger, second, cells_done=1, cells_total=3)
    assert all(now != then for now, then in zip(seen(), before, strict=True))
    before = seen()
    with ledger.writing() as session:
        session.add(RunEvent(run_id=second, seq=7, kind="log", payload={"text": "x"}))
    assert [now == then for now, then in zip(seen(), before, strict=True)] == [False, True, True]
    parsed = Seen.read(seen()[0])
    assert parsed is not None
    assert (parsed.status, parsed.attempt, parsed.seq) == ("running", 1, 7)


def test_cancelling_all_ends_what_waits_and_tells_who_works(
    ledger: Ledger, evaluation: Evaluation
) -> None:
    first, second, third = add_runs(ledger, evaluation, 3)
    take(ledger, first)
    with ledger.writing() as session:
        assert call_off_evaluation(session, evaluation.id).status == Status.RUNNING
    with ledger.writing() as session:
        assert [run.id for run in cancel_runs(session, evaluation.id)] == [first, second, third]
    with ledger.reading() as session:
        runs = [session.get_one(Run, run_id) for run_id in (first, second, third)]
        assert [run.verdict for run in runs] == [None, "cancelled", "cancelled"]
        assert runs[0].cancel_requested
        assert progress_of(session, runs).keys() == {first}
