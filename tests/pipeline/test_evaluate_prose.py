"""Prose is not code: editing it changes the page, and executes nothing."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.rendering.transplant import TransplantError, transplant
from provenance.record import parse_record
from tests.pipeline.weather import CELL, DAILY, PROJECT
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
PARAMETERS = 'day = "2000-01-01"\nlevel = 0.5\ntotal = None'
ALL_REUSED = {"table": "reused", "total": "reused", "report": "reused"}


@pytest.fixture
def repository(git_project: MakeRepository) -> Repository:
    return git_project(PROJECT)


def test_new_prose_stands_around_the_old_results(evaluate: Bench, repository: Repository) -> None:
    first = evaluate(repository).run
    repository.commit({"reports/daily.ipynb": notebook("# Words a day", PARAMETERS, CELL)})
    second = evaluate(repository).run
    assert second.statuses == ALL_REUSED
    assert second.jobs["report"].sentence.endswith("; its text was rendered anew")
    assert second.row.key == first.row.key
    assert second.row.record == first.row.record
    assert second.metrics == first.metrics
    assert "Words a day" in second.html
    assert "Daily words" not in second.html
    assert second.printed == first.printed
    assert second.row.html != first.row.html
    tags = [cell["metadata"].get("tags", []) for cell in second.notebook["cells"]]
    assert tags[2] == ["injected-parameters"]

    third = evaluate.execute(evaluate.ask(repository, "daily"))
    assert third.row.html == second.row.html  # rendered once, then reused as well

    repository.commit({"reports/daily.ipynb": DAILY})
    assert evaluate(repository).run.row.html == first.row.html


def test_a_report_whose_page_could_not_be_rendered_gets_one_when_it_is_reused(
    evaluate: Bench, repository: Repository
) -> None:
    first = evaluate(repository).run
    cache = evaluate.installation.cache
    record = parse_record(cache.store.read(str(first.row.record)))
    without = tuple(output for output in record.outputs if output.name != "html")
    cache.commit(replace(record, outputs=without), replace=True)
    second = evaluate.execute(evaluate.ask(repository, "daily"))
    assert second.statuses == ALL_REUSED
    assert "Daily words" in second.html


def test_a_comment_in_a_cell_is_shown_and_executes_nothing(
    evaluate: Bench, repository: Repository
) -> None:
    evaluate(repository)
    cell = CELL.replace("words = int", "# how many there are\nwords  = int")
    repository.commit({"reports/daily.ipynb": notebook("# Daily words", PARAMETERS, cell)})
    run = evaluate(repository).run
    assert run.statuses == ALL_REUSED
    assert "how many there are" in run.html


def test_saved_outputs_ids_and_counts_are_nothing_to_a_report(
    evaluate: Bench, repository: Repository
) -> None:
    first = evaluate(repository).run
    template = json.loads(DAILY)
    for number, cell in enumerate(template["cells"]):
        cell["id"] = f"other-{number}"
        if cell["cell_type"] == "code":
            cell["execution_count"] = 7
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "old"}]
    repository.commit({"reports/daily.ipynb": json.dumps(template)})
    again = evaluate(repository).run
    assert again.statuses == ALL_REUSED
    assert again.row.html == first.row.html


def test_results_of_other_code_are_never_put_under_new_words() -> None:
    template = json.loads(notebook("# A", "x = 1", "y = 2"))
    executed = json.loads(notebook("# A", "x = 1"))
    with pytest.raises(TransplantError):
        transplant(template, executed)
