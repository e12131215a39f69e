"""Figures across commits and runs, on every database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from provenance.ledger.engine import Ledger
from provenance.ledger.figures import write_figures
from provenance.ledger.ids import new_id
from provenance.ledger.intake import case_key
from provenance.ledger.queries import film as films
from provenance.ledger.queries.figures import (
    NoFigureError,
    figure_like,
    figures_of,
    runs_showing,
)
from provenance.ledger.queries.film import Film, film_of, neighbours_of
from provenance.ledger.queries.history import Filter
from provenance.ledger.queries.runs import PAGE
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Commit, Evaluation, Run
from provenance.ledger.text_tables import Figure, PageText
from provenance.ledger.words import note_page, unread_pages
from tests.support.rows import add_evaluation, add_project, add_runs

START = datetime(2026, 3, 1, tzinfo=UTC)
Add = Callable[..., str]


@pytest.fixture
def evaluation(ledger: Ledger) -> Evaluation:
    return add_evaluation(ledger, add_project(ledger))


@pytest.fixture
def add(ledger: Ledger, evaluation: Evaluation) -> Add:
    """Add a finished run at the commit with a number, whose page shows figures by slot."""

    def run(number: int, **shown: str) -> str:
        sha, html = f"{number:040x}", new_id("page")
        at = START + timedelta(hours=number)
        facts = {"subject": f"Commit {number}", "author": "Ada", "committed_at": at}
        with ledger.writing() as session:
            if session.get(Commit, (evaluation.project_id, sha)) is None:
                session.add(Commit(project_id=evaluation.project_id, sha=sha, **facts))
        read_page(ledger, evaluation, html, **shown)
        (run_id,) = add_runs(ledger, evaluation, commit_sha=sha, html=html, **finished())
        return run_id

    return run


def finished(**values: Any) -> dict[str, Any]:
    return {"status": Status.FINISHED, "verdict": Verdict.PASSED} | values


def read_page(ledger: Ledger, evaluation: Evaluation, html: str, **shown: str) -> None:
    page = PageText(html=html, project_id=evaluation.project_id, names="")
    figures = [figure(number, *one) for number, one in enumerate(shown.items(), 1)]
    with ledger.writing() as session:
        note_page(session, page)
        (unread,) = unread_pages(session, 9)
        write_figures(session, unread.id, figures, len(figures))


def figure(number: int, slot: str, sha256: str) -> Figure:
    facts = {"heading": slot, "kind": "image", "media_type": "image/png", "size": 3, "cell": number}
    return Figure(number=number, slot=f"{slot}/image-1", sha256=sha256, **facts)


def film(ledger: Ledger, evaluation: Evaluation, **wanted: Any) -> Film:
    with ledger.reading() as session:
        case = Filter(evaluation.project_id, "daily", case_key({}), **wanted)
        return film_of(session, case)


def told(found: Film) -> dict[str, str]:
    signs = {"same": "=", "changed": "≠", "new": "+", "gone": "-", "": "."}
    return {row.slot: "".join(signs[one.change] for one in row.frames) for row in found.rows}


def test_a_strip_tells_what_stayed_and_what_changed(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    add(1, rain="a", wind="w")
    add(2, rain="a")
    add(3, rain="b", wind="w")
    found = film(ledger, evaluation)
    assert told(found) == {"rain/image-1": ".=≠", "wind/image-1": ".-+"}
    assert [shot.subject for shot in found.shots] == ["Commit 1", "Commit 2", "Commit 3"]


def test_a_strip_goes_by_commits_and_takes_the_newest_run_of_each(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    add(3, rain="c")
    add(1, rain="b")  # pushed together, evaluated in another order
    add(2, rain="odd")
    newest = add(2, rain="b")
    for values in (
        {"verdict": Verdict.ERROR},
        {"dirty": "d"},
        {"purpose": "whatif"},
        {"html": None},
    ):
        add_runs(ledger, evaluation, commit_sha="9" * 40, **finished(**({"html": "x"} | values)))
    add_runs(ledger, evaluation, commit_sha="8" * 40, html="x", case_key="other", **finished())
    found = film(ledger, evaluation)
    assert told(found) == {"rain/image-1": ".=≠"}
    assert found.shots[1].run == newest
    assert film(ledger, evaluation, branch="elsewhere").rows == ()


def test_a_strip_is_bounded_and_its_first_frame_knows_what_was_before(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    for number in range(films.MOST_COMMITS + 3):
        add(number, **{f"slot{i}": "same" for i in range(films.MOST_SLOTS + 2)})
    found = film(ledger, evaluation)
    assert set(told(found).values()) == {"=" * films.MOST_COMMITS}
    assert (len(found.rows), found.more) == (films.MOST_SLOTS, 2)


def test_neighbours_are_the_commits_beside(ledger: Ledger, add: Add) -> None:
    first, second = add(1, rain="a"), add(2, rain="a")
    third = add(3, wind="w")
    with ledger.reading() as session:
        ends = neighbours_of(session, session.get_one(Run, first), "rain/image-1")
        near = neighbours_of(session, session.get_one(Run, second), "rain/image-1")
    assert ends.before is None
    assert near.before is not None
    assert near.after is not None
    assert near.before.shot.run == first
    assert (near.after.shot.run, near.after.change, near.after.figure) == (third, "gone", None)


def test_the_runs_that_show_the_same_come_newest_first_and_in_pages(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    add(1, rain="other")
    ids = [add(2, rain="a"), add(3, rain="a", wind="w")]
    read_page(ledger, evaluation, "shared", rain="a")
    ids += add_runs(ledger, evaluation, 2 * PAGE, html="shared", reused=True, **finished())
    got: list[str] = []
    before, older = None, True
    with ledger.reading() as session:
        while older:
            rows, older = runs_showing(session, "a", before)
            before = rows[-1].id
            got += [row.id for row in rows]
            assert len(rows) <= PAGE
    assert got == sorted(ids, reverse=True)


def test_a_figure_that_is_not_there_is_told_of(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    read_page(ledger, evaluation, "page", rain="a", wind="w")
    with ledger.writing() as session:
        note_page(session, PageText(html="new", project_id=evaluation.project_id, names=""))
    with ledger.reading() as session:
        assert figures_of(session, "page").numbered(2).sha256 == "w"
        with pytest.raises(NoFigureError, match="There is no figure 3"):
            figures_of(session, "page").numbered(3)
        assert figures_of(session, "new").total is None
        with pytest.raises(NoFigureError, match="not known yet"):
            figures_of(session, "new").numbered(1)
        assert figure_like(session, "a").slot == "rain/image-1"
        with pytest.raises(NoFigureError):
            figure_like(session, "b")


def test_who_reads_a_page_second_changes_nothing(
    ledger: Ledger, evaluation: Evaluation, add: Add
) -> None:
    read_page(ledger, evaluation, "page", rain="a")
    with ledger.writing() as session:
        page = session.query(PageText).filter_by(html="page").one().id
        write_figures(session, page, [figure(1, "wind", "w")], 7)
    with ledger.reading() as session:
        found = figures_of(session, "page")
    assert (found.total, [one.sha256 for one in found.kept]) == (1, ["a"])


def test_a_strip_takes_two_queries_and_no_scan(ledger: Ledger, evaluation: Evaluation) -> None:
    asked: list[tuple[str, Any]] = []
    engine = ledger.engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    read_page(ledger, evaluation, "page", rain="a")
    add_runs(ledger, evaluation, 3, html="page", **finished())
    asked.clear()
    film(ledger, evaluation)
    queries = [(sql, values) for sql, values in asked if sql.lstrip().startswith("SELECT")]
    assert len(queries) == 2
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        plans = [
            [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            for sql, values in queries
        ]
    # What is left to sort are the few runs that an index has found, in the order of commits.
    found = "SCAN lately"
    assert not [
        step for plan in plans for step in plan if step.startswith("SCAN ") and step != found
    ], plans
    assert "TEMP B-TREE" not in plans[0][plans[0].index(found) - 1], plans
