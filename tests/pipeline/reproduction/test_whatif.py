"""Runs with one thing swapped: the rest is reused, and nothing but that moved."""

from collections.abc import Callable

import pytest

from app.intake.again import SwapError
from app.intake.request import DirtyRunError
from provenance.explain.load import explain_runs
from provenance.explain.model import Explanation
from provenance.ledger.queries.latest import Wanted, newest_run
from provenance.ledger.tables import Run
from tests.pipeline.weather import PROJECT
from tests.support.again import reproduce, what_if, whole
from tests.support.evaluations import Bench
from tests.support.repository import Repository

Git = Callable[..., Repository]


def explained(bench: Bench, a: str, b: str) -> Explanation:
    with bench.installation.ledger.reading() as session:
        return explain_runs(session, bench.installation.store, a, b)


def test_with_another_value_only_what_takes_it_is_executed(
    evaluate: Bench, git_project: Git
) -> None:
    first = evaluate(git_project(PROJECT)).run
    told = what_if(evaluate, first.row.id, params={"level": "2.5"})
    assert told.statuses == {"table": "reused", "total": "reused", "report": "executed"}
    assert told.jobs["report"].sentence.startswith("params: level 1.0 → 2.5")
    assert told.row.params == {**first.row.params, "level": 2.5}
    assert (told.row.purpose, told.row.again_of) == ("whatif", first.row.id)
    found = explained(evaluate, first.row.id, told.row.id)
    assert [cause.kind for cause in found.causes] == ["parameters"]
    assert found.results.same


def test_with_another_commit_the_stages_it_changed_are_executed(
    evaluate: Bench, git_project: Git
) -> None:
    more = {"stages/helper.py": 'WORDS = "sun rain snow"\n'}
    repository = git_project(PROJECT, more)
    first = evaluate(repository).run
    told = what_if(evaluate, first.row.id, code="main")
    assert told.row.reused
    told = what_if(evaluate, first.row.id, code=repository.git("rev-parse", "HEAD~1"))
    assert told.statuses == dict.fromkeys(("table", "total", "report"), "executed")
    assert told.jobs["table"].sentence == "code: stages/helper.py changed"
    (moved,) = explained(evaluate, first.row.id, told.row.id).results.metrics
    assert (moved.name, moved.difference) == ("words", -1.0)


def test_it_is_of_the_same_case_though_other_defaults_hold_in_the_other_code(
    evaluate: Bench, git_project: Git
) -> None:
    repository = git_project(PROJECT)
    first = evaluate.ask(repository, "daily", {"day": "2013-02-28"})
    original = evaluate.execute(first).row
    repository.commit(
        {"provenote.toml": PROJECT["provenote.toml"].replace("2013-01-31", "2013-02-28")}
    )
    told = what_if(evaluate, original.id, code="main").row
    assert told.params["day"] == "2013-02-28"
    assert (told.case, told.case_key) == (original.case, original.case_key)
    other = what_if(evaluate, original.id, params={"level": 2.5}).row
    assert other.case == {**original.case, "level": 2.5}


def test_what_it_made_may_stand_for_others_but_is_no_news(
    evaluate: Bench, git_project: Git
) -> None:
    repository = git_project(PROJECT)
    first = evaluate(repository).run
    told = what_if(evaluate, first.row.id, params={"day": "2013-02-28"})
    with evaluate.installation.ledger.reading() as session:
        newest = newest_run(session, first.row.project, "daily", Wanted())
    assert newest.id == first.row.id
    real = evaluate.execute(evaluate.ask(repository, "daily", {"day": "2013-02-28"}))
    assert (real.row.reused, real.row.reused_from) == (True, told.row.id)


def test_a_run_of_what_if_can_be_reproduced_and_a_reproduction_cannot(
    evaluate: Bench, git_project: Git
) -> None:
    first = evaluate(git_project(PROJECT)).run
    told = what_if(evaluate, first.row.id, params={"level": "2.5"})
    found = reproduce(evaluate, told.row.id)
    assert found.answer == "identical"
    with pytest.raises(Exception, match=f"makes run {told.row.id} again"):
        reproduce(evaluate, str(found.again))


@pytest.mark.parametrize("swap", [{}, {"code": "main", "params": {"level": 2.0}}])
def test_exactly_one_thing_is_swapped(
    evaluate: Bench, git_project: Git, swap: dict[str, object]
) -> None:
    first = evaluate(git_project(PROJECT)).run
    with pytest.raises(SwapError, match="expected exactly one"):
        what_if(evaluate, first.row.id, **swap)


def test_uncommitted_changes_can_only_be_swapped_for_a_commit(
    evaluate: Bench, git_project: Git
) -> None:
    first = evaluate(git_project(PROJECT)).run
    with evaluate.installation.ledger.writing() as session:
        session.get_one(Run, first.row.id).dirty = "d" * 64
    with pytest.raises(DirtyRunError):
        what_if(evaluate, first.row.id, params={"level": 2.0})
    assert what_if(evaluate, first.row.id, code="main").row.reused
    assert whole(evaluate, first.row.id).dirty
