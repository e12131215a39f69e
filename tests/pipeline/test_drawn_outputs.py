"""What the real packages leave in notebooks, and what becomes of it on a page."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from pipeline.rendering.assets import asset
from pipeline.rendering.libraries import FILES, library_at
from pipeline.rendering.render import Rendered, render_report
from pipeline.rendering.theme import ASSETS, VERSIONS
from tests.pipeline.report_pages import Elements, code, colophon, display, html, notebook, rendered

DRAWN = Path(__file__).parent / "drawn"
ELSEWHERE = re.compile(
    r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|cdn\.|unpkg|cdnjs|jsdelivr|import\s*\("""
)
PLOTLY = "application/vnd.plotly.v1+json"


def page_of(name: str) -> Rendered:
    return render_report((DRAWN / f"{name}.ipynb").read_bytes(), colophon(), {})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("plotly", {"plotly", "plotly-geo"}),
        ("bokeh", {"bokeh", "bokeh-tables"}),
        ("altair", {"vega"}),
        ("widgets", {"widgets", "plotly"}),
        ("sympy", {"katex"}),
    ],
)
def test_pages_ask_for_our_files_and_for_nothing_elsewhere(name: str, wanted: set[str]) -> None:
    page = page_of(name)
    assert set(page.assets) == {file for library in wanted for file in FILES[library]}
    assert not ELSEWHERE.search(page.html.replace("https://vega.github.io/schema/", ""))
    assert 'class="note"' not in page.html


def test_vendored_files_are_those_of_the_list() -> None:
    listed = json.loads(VERSIONS.read_bytes())["files"]
    beside = {path.name for path in ASSETS.iterdir() if path.suffix in {".js", ".css"}}
    assert beside == set(listed) == {name for names in FILES.values() for name in names}
    for name, told in listed.items():
        content = (ASSETS / name).read_bytes()
        sha384 = base64.b64encode(hashlib.sha384(content).digest()).decode()
        assert (told["sha384"], told["size"]) == (sha384, len(content)), name
        assert asset(name).sha256 == hashlib.sha256(content).hexdigest()
        asks_beside = rb"url\((?!data:)" if name.endswith(".css") else rb'\w\.p\+"[0-9a-f]{20}\.'
        assert not re.search(asks_beside, content), name


@pytest.mark.parametrize(
    ("url", "library"),
    [
        ("https://cdn.plot.ly/plotly-4.1.1.min.js", "plotly"),
        ("https://cdn.plot.ly/plotly-geo-assets-2.0.0.js", "plotly-geo"),
        ("https://cdn.jsdelivr.net/npm/plotly.js-dist-min@3.0.0/plotly.min.js", "plotly"),
        ("https://cdn.bokeh.org/bokeh/release/bokeh-3.9.2.min.js", "bokeh"),
        ("https://cdn.bokeh.org/bokeh/release/bokeh-widgets-3.9.2.min.js", "bokeh"),
        ("https://cdn.bokeh.org/bokeh/release/bokeh-gl-3.9.2.min.js", "bokeh-gl"),
        ("https://cdn.bokeh.org/bokeh/release/bokeh-mathjax-3.9.2.min.js", "bokeh-mathjax"),
        ("https://cdn.jsdelivr.net/npm/vega@6", "vega"),
        ("https://cdn.jsdelivr.net/npm/vega-lite@6.4.1", "vega"),
        ("//unpkg.com/@jupyter-widgets/html-manager@^1/dist/embed-amd.js", "widgets"),
        ("https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.4/require.min.js", ""),
        ("https://cdn.jsdelivr.net/npm/mathjax@2/MathJax.js?config=TeX", ""),
        ("https://unpkg.com/leaflet@1.9.4/dist/leaflet.js", None),
        ("https://example.org/vegan.js", None),
    ],
)
def test_libraries_elsewhere_are_known_by_their_addresses(url: str, library: str | None) -> None:
    assert library_at(url) == library


def test_what_is_not_ours_to_give_is_left_out_and_told() -> None:
    outputs = html(
        '<link rel="stylesheet" href="https://unpkg.com/leaflet@1/leaflet.css">'
        "<script src='//unpkg.com/leaflet@1/leaflet.js' async></script>"
        '<script type="module">import x from "https://esm.sh/x"; x()</script>'
        '<a href="https://example.org/">a link for people</a>'
    )
    page = rendered(code("1", outputs)).html
    assert "leaflet" not in page
    assert page.count("This output asks for a file of unpkg.com") == 2
    assert "This output asks for a file of esm.sh" in page
    assert '<a href="https://example.org/">' in page


def test_a_figure_with_values_that_json_lacks_is_drawn_without_them() -> None:
    source = notebook(code("1", display(**{PLOTLY: {"data": [{"y": [1.5, 7.0]}], "layout": {}}})))
    source = source.replace(b"7.0", b"NaN").replace(b'"metadata": {}', b'"metadata": {"a": NaN}', 1)
    assert b"NaN" in source
    page = render_report(source, colophon(), {}).html
    assert '{"data":[{"y":[1.5,null]}],"layout":{}}' in page


def test_data_of_a_figure_cannot_end_their_element() -> None:
    attack = "</script><script>alert(1)</script><!--"
    figure = {"data": [], "layout": {"title": {"text": attack}}}
    plain = Elements(rendered(code("1", display(**{PLOTLY: {"data": []}}))).html)
    elements = Elements(rendered(code("1", display(**{PLOTLY: figure}))).html)
    assert len(elements.all("script")) == len(plain.all("script"))


def test_scripts_of_a_picture_stay_asleep_in_it() -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    output = display(text__plain="x")
    output.data["image/svg+xml"] = picture
    page = rendered(code("1", output))
    sources = [str(one["src"]) for one in Elements(page.html).all("img")]
    assert [source.partition(";")[0] for source in sources] == ["data:image/svg+xml"]
    assert "alert(1)" not in page.html


@pytest.mark.parametrize("data", ["text", [1], {"data": "no list"}, {"layout": {}}])
def test_what_only_claims_to_be_a_figure_shows_its_other_form(data: object) -> None:
    output = display(**{"text__plain": "Figure()"})
    output.data[PLOTLY] = data
    page = rendered(code("1", output))
    assert "Figure()" in page.html
    assert page.assets == ()


def test_a_widget_that_cannot_be_shown_says_why_and_shows_its_text() -> None:
    view = "application/vnd.jupyter.widget-view+json"
    unknown = display(text__plain="Slider(value=3)", **{view: {"model_id": "none"}})
    foreign = display(text__plain="Map()", **{view: {"model_id": "m"}})
    source = json.loads(notebook(code("1", unknown, foreign)))
    models = {"m": {"model_module": "jupyter-leaflet", "model_name": "M", "state": {}}}
    state = "application/vnd.jupyter.widget-state+json"
    source["metadata"]["widgets"] = {state: {"state": models}}
    page = render_report(json.dumps(source).encode(), colophon(), {}).html
    assert "A widget is not shown: the notebook did not keep its state." in page
    assert "it needs a script of jupyter-leaflet" in page
    assert "Slider(value=3)" in page


def test_only_the_state_of_widgets_on_the_page_is_put_into_it() -> None:
    page = page_of("widgets").html
    found = re.search(r'widget-state\+json">(.*?)</script>', page)
    assert found
    models = json.loads(found[1])["state"]
    assert {model["model_module"] for model in models.values()} <= {
        "@jupyter-widgets/base",
        "@jupyter-widgets/controls",
        "@jupyter-widgets/output",
    }
    assert "anywidget" not in page
