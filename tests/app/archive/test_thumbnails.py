"""Small drawings of tables."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from app.archive.thumbnails import table_picture, word_picture
from pipeline.table_texts import TableCell

CELLS = st.builds(
    TableCell, st.text(max_size=30), st.booleans(), st.integers(1, 1000), st.integers(1, 1000)
)


def places(svg: str) -> dict[str, tuple[float, float]]:
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</text>', svg)
    return {text: (float(x), float(y)) for x, y, text in found}


def test_a_cell_stands_below_its_head_though_others_stand_for_several() -> None:
    head = [TableCell("", columns=2), TableCell("a"), TableCell("b")]
    rows = [[TableCell("JFK", rows=2), TableCell("1"), TableCell("x")]]
    rows += [[TableCell("2"), TableCell("y")]]
    found = places(table_picture([head, *rows]))
    assert found["1"][0] == found["2"][0]
    assert found["a"][0] == found["x"][0] == found["y"][0] > found["1"][0]
    assert found["1"][1] < found["2"][1]


def test_long_texts_are_cut_and_a_large_table_shows_its_corner() -> None:
    svg = table_picture(
        [[TableCell(f"{row}.{column} " * 50) for column in range(99)] for row in range(99)]
    )
    assert 0 < svg.count("<text") <= 40
    assert svg.count("…") == svg.count("<text")


@given(st.lists(st.lists(CELLS, max_size=6), max_size=12))
def test_whatever_a_table_holds_it_is_drawn(rows: list[list[TableCell]]) -> None:
    ElementTree.fromstring(table_picture(rows))
    assert "<script" not in table_picture([[TableCell("<script>")]])


def test_a_word_is_text() -> None:
    assert "<b>" not in word_picture("<b>")
