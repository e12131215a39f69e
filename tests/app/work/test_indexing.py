"""Pages can be found by their words soon after they were published."""

from collections.abc import Callable

from app.work.indexing import read_pages
from provenance.ledger.search import search_rows
from provenance.ledger.search_text import read_search
from provenance.ledger.words import unread_pages
from tests.pipeline.weather import single
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook


def found(bench: Bench, text: str) -> list[str]:
    with bench.installation.ledger.reading() as session:
        return [row.id for row in search_rows(session, read_search(text).wanted, 9, None)[0]]


def test_what_a_page_says_is_found_once_it_was_read(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    cells = notebook("# Of the *thunder*", "print('light' + 'ning strikes')")
    run = evaluate(git_project(single(cells))).run
    assert found(evaluate, "lightning") == []
    assert read_pages(evaluate.installation, 9.0) == 1
    assert read_pages(evaluate.installation, 9.0) == 0
    for text in ("lightning", "thunder strikes", "weather"):
        assert found(evaluate, text) == [run.row.id], text
    assert found(evaluate, "print") == []


def test_a_notebook_that_is_gone_leaves_the_names(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    run = evaluate(git_project(single(notebook("# Page")))).run
    evaluate.installation.store.path(run.row.notebook).unlink()
    assert read_pages(evaluate.installation, 9.0) == 1
    with evaluate.installation.ledger.reading() as session:
        assert unread_pages(session, 9) == []
    assert found(evaluate, "weather") == [run.row.id]
