"""Pages are found by their words, and their figures are known, soon after they were published."""

from collections.abc import Callable

import pytest

from app.work.indexing import read_pages
from pipeline.page_words import page_words
from provenance.ledger.columns import utc_now
from provenance.ledger.queries.figures import figures_of
from provenance.ledger.roots import read_roots
from provenance.ledger.search import search_rows
from provenance.ledger.search_text import read_search
from provenance.ledger.text_tables import PageText
from provenance.ledger.words import note_page, unread_pages, write_words
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


def test_a_page_that_is_used_again_is_found_at_the_run_that_used_it_last(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    project = git_project(single(notebook("# Of thunder")))
    evaluate(project)
    read_pages(evaluate.installation, 9.0)
    project.commit({"notes.txt": "nothing that the report stands on"})
    again = evaluate(project).run
    assert again.row.reused
    assert found(evaluate, "thunder") == [again.row.id]


def test_figures_are_found_with_the_words_and_kept(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    draws = (
        "from IPython.display import HTML, SVG, display\n"
        "display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))\n"
        "HTML('<table><tr><td>7</td></tr></table>')"
    )
    run = evaluate(git_project(single(notebook("# Rain", draws)))).run
    with evaluate.installation.ledger.reading() as session:
        assert figures_of(session, run.row.html).total is None
    read_pages(evaluate.installation, 9.0)
    with evaluate.installation.ledger.reading() as session:
        found = figures_of(session, run.row.html)
    assert [one.slot for one in found.kept] == ["rain/image-1", "rain/table-1"]
    table = evaluate.installation.store.read(found.kept[1].sha256)
    assert table == b'{"rows":[["7"]]}'
    with evaluate.installation.ledger.reading() as session:
        assert {one.sha256 for one in found.kept} <= read_roots(session, utc_now()).every


def test_pages_of_an_older_archive_get_their_figures_and_keep_their_words(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    draws = "from IPython.display import HTML\nHTML('<table><tr><td>7</td></tr></table>')"
    run = evaluate(git_project(single(notebook("# Rain", draws)))).run
    with evaluate.installation.ledger.writing() as session:
        (page,) = unread_pages(session, 9)
        write_words(session, page.id, "thunder")
    assert read_pages(evaluate.installation, 9.0) == 1
    with evaluate.installation.ledger.reading() as session:
        assert figures_of(session, run.row.html).total == 1
    assert found(evaluate, "thunder") == [run.row.id]


def test_a_notebook_that_is_gone_leaves_the_names(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    run = evaluate(git_project(single(notebook("# Page")))).run
    evaluate.installation.store.path(run.row.notebook).unlink()
    assert read_pages(evaluate.installation, 9.0) == 1
    with evaluate.installation.ledger.reading() as session:
        assert unread_pages(session, 9) == []
    assert found(evaluate, "weather") == [run.row.id]


def test_a_page_that_cannot_be_read_keeps_no_other_from_it(
    evaluate: Bench, git_project: Callable[..., Repository], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = evaluate(git_project(single(notebook("# Of thunder")))).run
    with evaluate.installation.ledger.writing() as session:
        names = {"project_id": run.row.project_id, "names": "x"}
        broken = evaluate.installation.store.put_bytes(b"broken").sha256
        note_page(session, PageText(html="page", notebook=broken, **names))

    def words(data: bytes) -> str:
        if data == b"broken":
            raise RecursionError("too deep")
        return page_words(data)

    monkeypatch.setattr("app.work.indexing.page_words", words)
    assert read_pages(evaluate.installation, 9.0) == 2
    assert read_pages(evaluate.installation, 9.0) == 0
    assert found(evaluate, "thunder") == [run.row.id]
