"""Two executed notebooks cell by cell."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.comparing.cells import MOST_OUTPUTS, CellPair, compare_cells
from app.comparing.notebooks import cells_of

PNG = base64.b64encode(b"\x89PNG one").decode()
OTHER_PNG = base64.b64encode(b"\x89PNG other").decode()


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "outputs": list(outputs),
        "metadata": {"tags": list(tags)},
    }


def prose(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": [source]}


def prints(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": [text]}


def shows(**forms: Any) -> dict[str, Any]:
    data = {name.replace("_", "/"): value for name, value in forms.items()}
    return {"output_type": "display_data", "data": data}


def compared(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[CellPair]:
    sides = [cells_of(json.dumps({"cells": cells}).encode()) for cells in (before, after)]
    return list(compare_cells(*sides).changed)


def test_equal_notebooks_differ_in_no_cell_whatever_values_were_injected() -> None:
    cells = [prose("# Head"), code("1 + 1", shows(text_plain="2"))]
    injected = code("n = 3", tags=("injected-parameters",))
    assert compared(cells, [injected, *cells]) == []


def test_a_cell_that_was_edited_is_one_with_a_diff_and_others_stay_paired() -> None:
    before = [code("a = 1\nb = 2\nprint(a)"), code("same()"), code("gone = True")]
    after = [prose("new words here"), code("a = 1\nb = 3\nprint(a)"), code("same()")]
    words, edited, gone = compared(before, after)
    assert (words.before, words.number) == (None, 1)
    assert (edited.before and edited.before.number, edited.number) == (1, 2)
    assert edited.diff is not None
    assert {"-b = 2", "+b = 3"} <= set(edited.diff.splitlines())
    assert (gone.after, gone.number) == (None, 3)


def test_what_a_cell_prints_is_compared_as_a_whole() -> None:
    before = [code("f()", prints("one\n"), prints("warn", "stderr"), prints("two\n"))]
    after = [code("f()", prints("one\nthree\n"), prints("warn", "stderr"))]
    ((found,),) = [pair.outputs for pair in compared(before, after)]
    assert (found.kind, found.name) == ("text", "stdout")
    assert {"-two", "+three"} <= set((found.diff or "").splitlines())


def test_addresses_in_memory_and_colours_are_no_change() -> None:
    shown = [shows(text_plain=f"<A at 0x7f3a{n}>") for n in ("00aabb", "11ccdd")]
    assert compared([code("a", shown[0])], [code("a", shown[1])]) == []
    assert compared([code("p", prints("x"))], [code("p", prints("\x1b[31mx\x1b[0m"))]) == []


def test_figures_are_told_by_their_addresses() -> None:
    ((found,),) = [
        pair.outputs
        for pair in compared(
            [code("plot()", shows(image_png=PNG, text_plain="<Figure>"))],
            [code("plot()", shows(image_png=OTHER_PNG, text_plain="<Figure>"))],
        )
    ]
    assert found.kind == "image"
    assert found.before == f"data:image/png;base64,{PNG}"
    assert found.after == f"data:image/png;base64,{OTHER_PNG}"


def test_a_figure_more_or_less_stands_alone() -> None:
    first, second = shows(image_png=PNG), shows(image_png=OTHER_PNG)
    ((found,),) = [p.outputs for p in compared([code("f", first)], [code("f", first, second)])]
    assert (found.before, found.after) == (None, f"data:image/png;base64,{OTHER_PNG}")


def test_frames_are_compared_as_tables() -> None:
    tables = [f"<table><tr><th>n</th></tr><tr><td>{n}</td></tr></table>" for n in (1, 2)]
    ((found,),) = [
        pair.outputs
        for pair in compared(*([code("t", shows(text_html=t, text_plain="n"))] for t in tables))
    ]
    assert found.kind == "table"
    assert found.table is not None
    assert [row[0].before for row in found.table.rows] == ["1", None]


def test_errors_are_compared_by_what_they_say() -> None:
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": []}
    ((found,),) = [
        pair.outputs
        for pair in compared([code("x", error)], [code("x", error | {"evalue": "'b'"})])
    ]
    assert found.name == "error"
    assert {"-KeyError: 'a'", "+KeyError: 'b'"} <= set((found.diff or "").splitlines())


def test_what_has_no_form_to_compare_is_told_to_differ() -> None:
    before, after = (shows(**{"application_x-one": n}) for n in (1, 2))
    assert compared([code("x", before)], [code("x", after)]) == []  # its kind is all that is seen
    ((found,),) = [p.outputs for p in compared([code("x", before)], [code("x", shows(a_b=1))])]
    assert found.kind == "other"


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"cells": [1]}', b'{"cells": [{"metadata": []}]}', b"\xff\xfe"]
)
def test_what_is_no_notebook_has_no_cells(data: bytes) -> None:
    assert cells_of(data) == ()


def test_a_picture_that_is_none_is_told_by_its_text() -> None:
    (cell,) = cells_of(
        json.dumps({"cells": [code("x", shows(image_png="'><script>", text_plain="t"))]}).encode()
    )
    assert [(one.kind, one.text) for one in cell.outputs] == [("text", "t")]


@pytest.mark.parametrize(
    "source",
    [
        lambda side, n: f"{side}{n} = {n}\n" * 100,
        lambda side, n: ("a" * 499 if side == "old" else "abbb" * 124) + str(n),
        lambda side, n: f"{side}\n" * (n % 7) + "same\n" * 900,
    ],
    ids=["nothing in common", "one letter in common", "much in common"],
)
def test_large_templates_are_compared_before_long(source: Callable[[str, int], str]) -> None:
    told = [[code(source(side, n)) for n in range(500)] for side in ("old", "new")]
    sides = [cells_of(json.dumps({"cells": cells}).encode()) for cells in told]
    began = time.process_time()
    found = compare_cells(*sides)
    assert time.process_time() - began < 60
    assert 500 <= len(found.changed) + found.left_out + found.same <= 1000


def test_very_many_outputs_are_compared_as_far_as_a_page_shows_them() -> None:
    told = [[code("f()", *(shows(text_plain=f"{s} {n}") for n in range(130)))] for s in "ab"]
    ((shown, more),) = [(len(pair.outputs), pair.more) for pair in compared(*told)]
    assert (shown, more) == (MOST_OUTPUTS, 30)


def test_one_output_that_is_odd_leaves_the_others() -> None:
    odd = f"<table><tr><td>&#{'9' * 5000};</td></tr></table>"
    cells = [code("a", shows(text_html=odd)), code("b", {"data": None}, 3, shows(text_plain="2"))]
    other = [cells[0], code("b", shows(text_plain="3"))]
    assert compared(cells, cells) == []
    assert [pair.number for pair in compared(cells, other)] == [2]


def test_a_long_print_is_compared_as_far_as_it_is_read() -> None:
    lines = [f"line {n}" for n in range(3000)]
    before, after = "\n".join(lines), "\n".join([*lines[:5], "other", *lines[5:]])
    ((found,),) = [
        pair.outputs for pair in compared([code("p", prints(before))], [code("p", prints(after))])
    ]
    assert "+other" in (found.diff or "").splitlines()
