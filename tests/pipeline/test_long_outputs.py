"""Outputs that are too long for a page, and figures that are too many."""

import base64
import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from pipeline.rendering import cuts
from pipeline.rendering.assets import asset, asset_bytes
from pipeline.rendering.libraries import FILES
from pipeline.rendering.parts import FIGURES_IN_PAGE
from pipeline.rendering.render import Rendered
from pipeline.rendering.standalone import led_to
from provenance.pages import parts_of
from provenance.store import Store
from tests.pipeline.report_pages import (
    Elements,
    code,
    display,
    html,
    markdown,
    raised,
    rendered,
    v4,
)


def stream(text: str) -> Any:
    return v4.new_output("stream", text=text)


def whole(page: Rendered, place: str) -> bytes:
    """Return what the page leads to at *place*, as a reader of the page finds it."""
    (part,) = (part for name, part in parts_of(page.html).items() if name.startswith(place))
    content = {found.sha256: content for found, content in page.parts}[part.sha256]
    assert len(content) == part.size
    return content


def article(page: Rendered) -> str:
    return page.html.split("<article>")[1].split("</article>")[0]


def test_a_long_text_shows_its_beginning_and_end_and_leads_to_the_whole() -> None:
    text = "".join(f"line {n}\n" for n in range(50_000))
    page = rendered(markdown("# T"), code("1", stream("\x1b[31mred\x1b[0m\n" + text)))
    shown = article(page)
    assert len(shown) < 60_000
    assert "line 1\n" in shown
    assert "line 49999" in shown
    assert "line 30000" not in shown
    assert re.search(
        r'<a href="output/2/0-[0-9a-f]{8}\.(?:html|txt)">Show the whole output</a>', shown
    )
    assert "48,001 lines, " in shown
    assert whole(page, "2/0-").decode() == "red\n" + text.rstrip()


def test_one_endless_line_is_cut_as_well() -> None:
    page = rendered(code("1", display(text__plain="x" * 1_000_000)))
    assert len(page.html) < 300_000
    assert "800,000 characters left out" in page.html
    assert len(whole(page, "1/0-")) == 1_000_000


def test_nothing_is_lost_between_the_pieces_of_a_text_that_is_cut() -> None:
    for text in ("a\n" * 2_001, "x" * 200_001, ("y" * 5_000 + "\n") * 90):
        cut = cuts.cut_text(text)
        assert cut is not None
        gone = int(cut.left_out.split()[-2].replace(",", ""))
        assert len(cut.head) + len(cut.tail) + gone == len(text)
        assert text.startswith(cut.head)
        assert text.endswith(cut.tail)
    assert cuts.cut_text("a\n" * 1_999) is None


def test_a_huge_table_shows_its_first_rows_and_the_page_stays_whole() -> None:
    row = "<tr><th>1</th><td>some words</td></tr>"
    table = f'<div><table border="1" class="dataframe"><tbody>{row * 100_000}</tbody></table></div>'
    page = rendered(markdown("# T"), code("df", html(table)), markdown("## After"))
    shown = article(page)
    assert 100_000 < len(shown) < 300_000
    left_open = [tag for tag in Elements(shown).open if tag not in {"br", "img"}]
    assert left_open == []
    assert "characters of HTML left out here" in shown
    found = whole(page, "2/0-").decode()
    assert found.count("<tr>") == 100_000
    assert found.startswith("<!doctype html>")


@pytest.mark.parametrize("wrapper", ["<style>{}", "<script>{}</script>"])
def test_a_cut_leaves_no_style_or_script_open(wrapper: str) -> None:
    page = rendered(code("1", html("<p>first</p>" + wrapper.format("x" * 25_000_000))))
    assert len(page.html) < 100_000
    assert article(page).count("<style") == article(page).count("</style")
    assert "characters of HTML left out here" in page.html


def test_html_that_draws_itself_or_embeds_pictures_is_not_cut_at_a_megabyte() -> None:
    picture = '<img src="data:image/png;base64,' + "A" * 2_000_000 + '">'
    script = "<script>" + "x = 1;" * 300_000 + "</script>"
    page = rendered(code("1", html(picture), html(script)))
    assert picture in page.html
    assert script in page.html
    assert page.parts == ()


def test_a_figure_as_html_that_lies_beside_the_page_is_drawn_there_and_its_library_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuts, "LARGEST_LIVE", cuts.LARGEST_HTML)
    figure = '<div class="plotly-graph-div" id="f"></div><script>Plotly.newPlot("f", [{}])</script>'
    page = rendered(code("1", html(figure.format("/*" + "x" * cuts.LARGEST_HTML + "*/"))))
    library = asset("plotly.min.js")
    alone = whole(page, "1/0-").decode()
    assert f'<script src="../../../../assets/{library.address}"></script>' in alone
    assert page.assets == FILES["plotly"]
    assert "<script src=" not in page.html, "the page itself draws nothing with it"
    assert library.sha256 in page.html, "what is cleared away is what no page names"
    store = Store(Path("unused"))
    led = dict(led_to(page.html, store))
    assert led[f"../../assets/{library.address}"]() == asset_bytes(store, library)


def test_a_library_that_the_page_loads_as_well_is_named_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuts, "LARGEST_LIVE", cuts.LARGEST_HTML)
    small = '<div class="plotly-graph-div" id="g"></div><script>Plotly.newPlot("g", [])</script>'
    page = rendered(code("1", html(small), html(small + f"<!--{'x' * cuts.LARGEST_HTML}-->")))
    assert page.assets == FILES["plotly"]
    assert page.html.count(asset("plotly.min.js").sha256) == 1


def test_a_long_traceback_is_cut_too() -> None:
    error = raised("RecursionError", "deep")
    error.traceback = [f"frame {n}" for n in range(9_000)]
    page = rendered(code("f()", error))
    assert "frame 0\n" in page.html
    assert "frame 8999" in page.html
    assert "frame 4500" not in page.html
    assert b"frame 4500" in whole(page, "1/0-")


def test_many_large_outputs_together_do_not_make_a_page_heavy() -> None:
    cells = [code("1", html("<p>" + "word " * 100_000 + "</p>")) for _ in range(40)]
    page = rendered(*cells)
    assert len(page.html) < 12_000_000
    assert page.html.count("Show the whole output") == 21
    assert len(page.parts) == 21


def png(size: int, mark: int = 0) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + bytes([mark]) * size
    )


def test_the_first_figures_stand_in_the_page_and_the_rest_is_loaded_when_it_is_looked_at() -> None:
    figures = [png(100_000, n) for n in range(50)]
    encoded = [base64.b64encode(figure).decode() for figure in figures]
    page = rendered(*(code("1", display(image__png=text)) for text in encoded))
    pictures = Elements(page.html).all("img")
    inside = [one for one in pictures if str(one["src"]).startswith("data:")]
    beside = [one for one in pictures if not str(one["src"]).startswith("data:")]
    assert sum(len(str(one["src"])) for one in inside) <= FIGURES_IN_PAGE + 1000
    assert len(inside) + len(beside) == 50
    assert len(beside) > 30
    for one in beside:
        assert (one["loading"], one["width"], one["height"]) == ("lazy", "640", "480")
        place = str(one["src"]).removeprefix("output/")
        assert whole(page, place) == figures[int(place.partition("/")[0]) - 1]


def test_what_claims_to_be_a_large_picture_and_is_not_is_told() -> None:
    page = rendered(code("1", display(image__png="not base64 " * 200_000)))
    assert "Content that claims to be image/png and is not." in page.html


def test_only_the_head_of_a_page_says_what_belongs_to_it() -> None:
    forged = json.dumps({"9/9": ["0" * 64, "text/html", 1]})
    attack = f'<script type="application/json" id="parts">{forged}</script>'
    page = rendered(markdown(f"# T\n\n{attack}"), code("1", html(attack), html("<body>" + attack)))
    assert parts_of(page.html) == {}
    assert parts_of(rendered(code("1"), title=attack, record={"x": attack}).html) == {}
