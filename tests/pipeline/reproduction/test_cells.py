"""Executed notebooks cell by cell."""

from datetime import UTC, datetime
from typing import Any

from pipeline.reproduction.answer import Counts, Grade, answer
from pipeline.reproduction.cells import CellsCompared, compare_notebooks
from pipeline.reproduction.closeness import Measure
from pipeline.reproduction.normal import Window

THEN = Window(datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC))
MEASURE = Measure(THEN, THEN, 1e-9)


def code(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"cell_type": "code", "outputs": list(outputs), "metadata": {"tags": list(tags)}}


def prints(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shows(**data: Any) -> dict[str, Any]:
    named = {name.replace("_", "/"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


def compared(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> CellsCompared:
    return compare_notebooks({"cells": before}, {"cells": after}, MEASURE)


TITLE = {"cell_type": "markdown", "source": "# Title"}
GIVEN = code(tags=("injected-parameters",))


def test_cells_are_counted_as_in_the_template() -> None:
    found = compared(
        [TITLE, code(), GIVEN, code(prints("a"))], [TITLE, code(), GIVEN, code(prints("b"))]
    )
    assert [one.where for one in found.findings] == ["cell 3"]
    assert found.cells == 2


def test_counts_and_ids_of_cells_do_not_matter() -> None:
    one = code({"output_type": "execute_result", "execution_count": 1, "data": {"text/plain": "3"}})
    two = code({"output_type": "execute_result", "execution_count": 9, "data": {"text/plain": "3"}})
    assert compared([{**one, "id": "a"}], [{**two, "id": "b"}]).findings == ()


def test_when_a_kernel_flushed_does_not_matter() -> None:
    one = code(prints("a\n"), prints("warn\n", "stderr"), prints("b\n"))
    two = code(prints("warn\n", "stderr"), prints("a\nb\n"))
    assert compared([one], [two]).findings == ()


def test_a_table_of_html_is_compared_number_by_number() -> None:
    table = "<table><tr><td>{}</td></tr></table>"
    near = compared([code(shows(text_html=table.format("0.1")))],
                    [code(shows(text_html=[table.format("0.10000000000000002")]))])  # fmt: skip
    assert [one.grade for one in near.findings] == [Grade.WITHIN_TOLERANCE]


def test_the_worst_of_a_cell_counts() -> None:
    before = code(prints("0.5"), shows(text_plain="x"))
    after = code(prints("0.50000000000000001"), shows(text_plain="y"))
    (found,) = compared([before], [after]).findings
    assert (found.grade, found.said) == (Grade.DIFFERS, "it shows y, was x")


def test_another_kind_of_output_is_told() -> None:
    raised = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
    (found,) = compared([code(prints("a"))], [code(raised)]).findings
    assert found.said == "it shows error, was stdout"
    (found,) = compared([code(prints("a"))], [code()]).findings
    assert found.said == "it shows nothing, was stdout"


def test_a_cell_that_is_missing_differs() -> None:
    (found,) = compared([code(), code()], [code()]).findings
    assert (found.where, found.said) == ("cell 2", "it is not there any more")


def test_the_answer_names_the_first_cell_in_words_and_numbers() -> None:
    found = compared(
        [code(prints("1.5")), code(prints("x"))], [code(prints("2.5")), code(prints("y"))]
    )
    told = answer(found.findings, found.aside, Counts(0, found.cells), 1e-9)
    assert told.sentence == "Differs at cell 1: it prints 2.5, was 1.5."
    assert told.details["cell"] == 1


def test_the_answer_names_the_largest_difference() -> None:
    found = compared(
        [code(prints("1.5")), code(prints("2.5"))],
        [code(prints("1.500000000003")), code(prints("2.500000000001"))],
    )
    told = answer(found.findings, found.aside, Counts(0, found.cells), 1e-9)
    assert told.grade == Grade.WITHIN_TOLERANCE
    assert told.sentence == (
        "Within tolerance: the largest relative difference is 2e-12, in cell 1."
    )
