"""What of an executed notebook can be found by its words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.page_words import LONGEST, page_about, page_words


def notebook(*cells: dict[str, Any]) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


def code(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": "hidden = 'code'", "outputs": list(outputs)}


def shows(**forms: Any) -> dict[str, Any]:
    data = {name.replace("_", "/"): value for name, value in forms.items()}
    return {"output_type": "display_data", "data": data}


def test_prose_and_outputs_are_words_and_code_is_none() -> None:
    prose = {"cell_type": "markdown", "source": ["# Delays\n", "by <b>hour</b> &amp; **day**"]}
    printed = {"output_type": "stream", "name": "stdout", "text": ["14.2\x1b[31m red\x1b[0m\n"]}
    failed = {"output_type": "error", "ename": "KeyError", "evalue": "'rain'", "traceback": ["x"]}
    found = page_words(notebook(prose, code(printed), code(failed)))
    assert found == "Delays\nby hour & day\n14.2 red\nKeyError: 'rain'"


def test_the_best_form_of_an_output_counts_and_its_scripts_do_not() -> None:
    table = "<style>td {}</style><table><tr><td>one</td><td>two</td></tr></table><script>x</script>"
    found = page_words(notebook(code(shows(text_html=table, text_plain="plain"))))
    assert found.split() == ["one", "two"]
    assert page_words(notebook(code(shows(image_png="iVBORw0K", text_plain="<Figure>")))) == (
        "<Figure>"
    )
    assert page_words(notebook(code(shows(image_png="iVBORw0K")))) == ""
    told = shows(text_markdown="## Off by **2** `min`", text_plain="<Markdown>")
    assert page_words(notebook(code(told))) == "Off by 2 min"


def test_one_odd_output_leaves_the_others() -> None:
    odd = shows(text_html=f"<b>&#{'9' * 5000};</b>")
    none = {"output_type": "display_data", "data": None}
    found = page_words(notebook(code(odd, none), code(shows(text_plain="told"))))
    assert found.endswith("told")


def test_a_long_page_is_cut() -> None:
    printed = {"output_type": "stream", "name": "stdout", "text": "word " * LONGEST}
    assert len(page_words(notebook(code(printed, printed)))) <= LONGEST


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"cells": 3}', b'{"cells": [{}]}', b"\xff"])
def test_what_is_no_notebook_says_nothing(data: bytes) -> None:
    assert page_words(data) == ""


@given(st.text(alphabet="<>&;/scriptyle=\"' \n", max_size=200))
def test_any_markup_has_words(text: str) -> None:
    page_words(notebook(code(shows(text_html=text))))


@pytest.mark.parametrize(
    ("source", "about"),
    [
        ("# How **late**?\n\nPlanes that\nwait.\n\nMore.", "How late?\nPlanes that wait."),
        ("# How late?\nPlanes.", "How late?\nPlanes."),
        ("# How late?\n\n## First\n\n`x` counts", "How late?\nx counts"),
        ("# How late?", "How late?"),
        ("Only <b>this</b>.", "Only this ."),
        ("", ""),
    ],
)
def test_the_first_cell_says_what_the_report_is_about(source: str, about: str) -> None:
    cells = [
        {"cell_type": "code", "source": "x = 1", "outputs": []},
        {"cell_type": "markdown", "source": source},
        {"cell_type": "markdown", "source": "# Another"},
    ]
    assert " ".join(page_about(json.dumps({"cells": cells}).encode()).split(" ")) == about


def test_what_is_too_long_for_a_description_is_cut() -> None:
    cells = [{"cell_type": "markdown", "source": "# " + "a" * 999 + "\n\n" + "b" * 999}]
    title, text = page_about(json.dumps({"cells": cells}).encode()).split("\n")
    assert (len(title), len(text), title[-1]) == (300, 300, "…")


@pytest.mark.parametrize("notebook", [b"", b"[]", b"{}", b"x", b'{"cells": 3}', b"[" * 99_999])
def test_what_is_no_notebook_is_about_nothing(notebook: bytes) -> None:
    assert page_about(notebook) == ""
