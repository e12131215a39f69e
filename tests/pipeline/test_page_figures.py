"""Which outputs of an executed notebook are figures, and what their digests stand for."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawn import PLOTLY
from pipeline.page_figures import LARGEST, FoundFigure, page_figures

VEGA = "application/vnd.vegalite.v5+json"
CHART = {"mark": "bar", "data": {"values": [1, 2]}}
ALTAIR = (
    "<div id='altair-viz-{0}'></div><script>maybeLoadScript('vega-embed')"
    "(function(spec, embedOpt){{}})({1}, {{}});</script>"
)
TABLE = "<table><tr><th>hour</th></tr><tr><td>7</td></tr></table>"


def picture(content: bytes = b"png") -> dict[str, Any]:
    return shows(**{"image/png": base64.b64encode(content).decode()})


def shows(**forms: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": forms}


def prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text}


def code(*outputs: Any, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    metadata = {"tags": list(tags)}
    return {"cell_type": "code", "source": "x", "metadata": metadata, "outputs": list(outputs)}


def found(*cells: Any) -> list[FoundFigure]:
    return list(page_figures(json.dumps({"cells": cells}).encode()))


def kinds(**forms: Any) -> list[str]:
    return [one.drawing.kind for one in found(code(shows(**forms)))]


def content(**forms: Any) -> bytes:
    (one,) = found(code(shows(**forms)))
    return one.drawing.content


def test_a_picture_is_its_own_bytes_however_they_were_written() -> None:
    text = base64.b64encode(b"png" * 40).decode()
    assert content(**{"image/png": text}) == b"png" * 40
    assert content(**{"image/png": [text[:76], "\n", text[76:], "\n"]}) == b"png" * 40
    assert content(**{"image/svg+xml": ["<svg>", "</svg>"]}) == b"<svg></svg>"


def test_a_table_is_the_texts_of_its_cells_and_not_their_looks() -> None:
    styled = '<style>#T_1f2 {}</style><table id="T_1f2">' + TABLE.removeprefix("<table>")
    same = styled.replace("T_1f2", "T_9a8").replace("<td>", "<td\n class='x'>  ")
    assert content(**{"text/html": styled}) == content(**{"text/html": same})
    assert content(**{"text/html": TABLE}) != content(**{"text/html": TABLE.replace("7", "8")})


def test_a_chart_is_its_data_in_whatever_order_and_wrapping() -> None:
    drawn = {"data": [{"y": [1]}], "layout": {}}
    turned = {"layout": {}, "data": [{"y": [1]}]}
    assert content(**{PLOTLY: drawn}) == content(**{PLOTLY: turned})
    wrapped = [ALTAIR.format(div, json.dumps(CHART)) for div in ("1f2", "9a8")]
    assert {content(**{"text/html": one}) for one in wrapped} == {content(**{VEGA: CHART})}


def test_what_the_page_prefers_is_what_counts() -> None:
    png = {"image/png": base64.b64encode(b"x").decode()}
    assert kinds(**png, **{"text/html": TABLE}) == ["table"]
    assert kinds(**png, **{"text/html": "<b>no table</b>"}) == []
    assert kinds(**png, **{"text/latex": "$x$"}) == []
    assert kinds(**png, **{PLOTLY: {"data": "none"}}) == ["image"]
    assert kinds(**png, **{"application/vnd.jupyter.widget-view+json": {}}) == []
    assert kinds(**png, **{"text/plain": "<Figure>"}) == ["image"]
    assert kinds(**{"text/plain": "7"}) == []


def test_a_slot_stays_while_code_and_other_sections_change() -> None:
    before = found(prose("# Report"), code(picture()), prose("## Delay by hour"), code(picture()))
    after = found(
        prose("# Report\nmore"),
        code(picture(), picture(b"new")),
        code(),
        prose("Between.\n\n## Delay by *hour*."),
        code(shows(**{"text/html": TABLE}), picture(b"other")),
    )
    assert [one.slot for one in before] == ["report/image-1", "delay-by-hour/image-1"]
    assert [one.slot for one in after] == [
        *("report/image-1", "report/image-2"),
        *("delay-by-hour/table-1", "delay-by-hour/image-1"),
    ]
    assert (after[-1].heading, after[-1].cell) == ("Delay by hour.", 5)


def test_a_tag_names_a_slot_whatever_stands_above() -> None:
    tagged = code(picture(), tags=("figure:Main plot",))
    for above in ("# One", "# Another"):
        assert found(prose(above), code(picture()), tagged)[1].slot == "main-plot/image-1"


def test_each_slot_is_there_once() -> None:
    again = [prose("# Rain"), code(picture(), picture())] * 3
    slots = [one.slot for one in found(*again, code(picture(), tags=("figure:rain",)))]
    assert len(set(slots)) == len(slots) == 7


def test_a_comment_in_code_is_no_heading() -> None:
    (one,) = found(prose("# Rain\n```\n# not this\n```"), code(picture()))
    assert one.heading == "Rain"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"cells": 3}', b'{"cells": [{}]}', b"\xff"])
def test_what_is_no_notebook_has_no_figures(data: bytes) -> None:
    assert list(page_figures(data)) == []


def test_what_only_claims_to_be_a_picture_is_none_and_others_follow() -> None:
    odd = [shows(**{"image/png": text}) for text in ("%%%", "", "YQ", 7, {"a": 1})]
    deep = shows(**{"text/html": ALTAIR.format("x", "[" * 100_000)})
    (one,) = found(code(*odd, deep, None, {"data": 3}, picture(b"whole")))
    assert one.drawing.content == b"whole"


def test_what_is_nested_deeply_or_told_of_a_thousand_times_is_read_all_the_same() -> None:
    for depth in range(950, 1_000, 7):
        deep = "[" * depth + "]" * depth
        output = f'{{"output_type": "x", "data": {{"{PLOTLY}": {{"data": [{deep}]}}}}}}'
        list(
            page_figures(f'{{"cells": [{{"cell_type": "code", "outputs": [{output}]}}]}}'.encode())
        )
    many = code(*[picture()] * 50_000, tags=("no",) * 50_000)
    began = time.monotonic()
    assert len(found(many)) == 50_000
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("depth", range(900, 1000, 3))
def test_a_chart_of_any_depth_is_one_or_none(depth: int) -> None:
    data = f'{{"data": {"[" * depth}{"]" * depth}}}'
    found(code(shows(**{PLOTLY: data})))  # as text: json.dumps could not have written it


def test_what_is_too_large_is_left_out_and_takes_no_time() -> None:
    began = time.monotonic()
    rows = "<tr>" + "<td>1.25</td>" * 100 + "</tr>"
    tables = [shows(**{"text/html": f"<table>{rows * 700}</table>"}) for _ in range(12)]
    headings = prose("\n".join("# " + "_" * 5_000 + "<" * 5_000 for _ in range(100)))
    left = found(headings, code(picture(b"x" * (LARGEST + 1)), *tables))
    assert [one.drawing.kind for one in left] == ["table"] * 2, "only so many are read"
    assert time.monotonic() - began < 60


@given(st.text(alphabet="<>&;/tablerdh=\"'2 \n", max_size=200))
def test_any_markup_can_be_read(text: str) -> None:
    for one in found(code(shows(**{"text/html": f"<table>{text}"}))):
        assert json.loads(one.drawing.content)["rows"]


NAMES = ["outputs", "data", "cell_type", "metadata", "tags", "image/png", "text/html", PLOTLY]
ANY = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda within: st.lists(within) | st.dictionaries(st.sampled_from(NAMES), within),
)


@given(ANY)
def test_any_json_can_be_read(data: Any) -> None:
    cells = [data, {"cell_type": "code", "outputs": [data], "metadata": data}]
    list(page_figures(json.dumps({"cells": cells}).encode()))
