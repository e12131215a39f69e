"""Tables of HTML as texts, and back."""

from pipeline.table_texts import TableCell, read_table_texts, table_texts


def rows(html: str) -> list[list[TableCell]]:
    return [list(row) for row in read_table_texts(table_texts(html) or b'{"rows": []}')]


def test_cells_are_texts_and_heads_and_spans_are_kept() -> None:
    html = (
        "<p>no</p><table><thead><tr><th colspan='2'>a &amp; b</th></tr></thead>"
        "<tr><th rowspan=3>x</th><td> 1 <b>2</b>\n</td></tr></table>no"
    )
    assert rows(html) == [
        [TableCell("a & b", is_head=True, columns=2)],
        [TableCell("x", is_head=True, rows=3), TableCell("1 2")],
    ]


def test_a_table_in_a_cell_is_text_of_that_cell() -> None:
    assert rows("<table><tr><td>a<table><tr><td>b</td></tr></table>c<td>d</table>") == [
        [TableCell("a b c"), TableCell("d")]
    ]


def test_several_tables_follow_each_other() -> None:
    assert rows("<table><tr><td>a</table>-<table><tr><td>b</table>") == [
        [TableCell("a")],
        [TableCell("b")],
    ]


def test_a_span_is_bounded_and_no_other_attribute_is_taken_for_one() -> None:
    html = "<table><tr><td colspan='9999' rowspan='0'>a<td data-x='colspan'>b</table>"
    assert rows(html) == [[TableCell("a", columns=1_000), TableCell("b")]]


def test_where_no_cell_is_there_is_no_table() -> None:
    for html in ("", "<table></table>", "<table><tr></tr></table>", "<td>a</td>", "a"):
        assert table_texts(html) is None


def test_spaces_without_an_end_are_passed_once() -> None:
    """By the square, these would take hours."""
    assert table_texts(f"<table><tr><td colspan={' ' * 500_000}>x</td></tr></table>") is not None
    assert table_texts(f"<table><tr><td colspan{' ' * 500_000}=>x</td></tr></table>") is not None
