"""What a report page holds, and what it keeps out."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from pipeline.rendering.render import NotebookError, render_report
from tests.pipeline.report_pages import (
    ATTACK,
    HOSTILE,
    INPUT,
    KEY,
    NO_NOTEBOOKS,
    SHA,
    Elements,
    code,
    colophon,
    display,
    html,
    markdown,
    notebook,
    raised,
    rendered,
    report,
    v4,
)


def test_the_colophon_states_everything_in_full() -> None:
    page = report(markdown("# Departures"), code("1"))
    for text in (
        *(SHA, KEY, INPUT, "Use arrival hour", "Ada", "2013-02-28", "case", "{&#34;rmse&#34;: 16}"),
        *("1.23 MB", "text/csv", "= </span>", "reused", "Python 3.11.7, 41 packages", "pandas"),
        *("14.2", "26,398", "lower is better", "a push (ada)", "0.21 s", "worker-1"),
        "21 November 2026, 00:12 UTC",
        f"provenote run sanity_check --commit {SHA}",
    ):
        assert text in page or text.replace(" </span>", "</span>") in page, text


def test_the_page_asks_for_nothing_outside_itself() -> None:
    page = report(markdown("# T\n\nIt is $5."), code("1", html("<b>x</b>"), raised()))
    assert not re.search(r"https?:|//cdn|@import|url\(", page)
    assert not re.search(r"mathjax|require\.js|requirejs|mermaid|jquery", page, re.IGNORECASE)
    elements = Elements(page)
    assert all("src" not in attrs for attrs in elements.all("script"))
    assert elements.all("link") == []


def test_a_page_asks_for_the_libraries_that_it_needs_and_no_others() -> None:
    mathematics, diagram = "$$a^2$$ and $b$", "```mermaid\ngraph TD; a-->b\n```"
    for source, wanted in (
        (mathematics, ["katex.min.css", "katex.min.js", "auto-render.min.js"]),
        (diagram, ["mermaid.min.js"]),
    ):
        found = rendered(markdown(f"# T\n\n{source}"))
        elements = Elements(found.html)
        asked = [one["href"] for one in elements.all("link")]
        asked += [one["src"] for one in elements.all("script") if "src" in one]
        assert [str(address).rpartition("/")[2] for address in asked] == wanted
        assert all(re.match(r"\.\./\.\./assets/[0-9a-f]{64}/", str(one)) for one in asked)
        assert list(found.assets) == wanted


def test_a_small_report_is_light() -> None:
    page = report(markdown("# T"), *(code(f"print({n})") for n in range(10)))
    assert len(page.encode()) <= 40_000


def test_code_is_folded_and_parameters_are_told_apart() -> None:
    page = report(
        markdown("# T"),
        code("date = 1", tags=("parameters",)),
        code("date = 2", tags=("injected-parameters",)),
        code("x = 1"),
    )
    blocks = [attrs for attrs in Elements(page).all("details") if attrs.get("class") == "code"]
    assert len(blocks) == 3
    assert not any("open" in attrs for attrs in blocks)
    assert "<summary>parameters</summary>" in page
    assert "<summary>parameters of this run</summary>" in page
    assert "x = <span" in page


@pytest.mark.parametrize("source", ["# Departures", "Departures\n===", "# *Departures* #\ntext"])
def test_the_first_heading_becomes_the_title_once(source: str) -> None:
    page = report(markdown(source))
    assert "<h1>Departures</h1>" in page
    assert page.count("<h1") == 1


def test_a_title_given_by_the_manifest_wins_and_keeps_the_templates_as_subtitle() -> None:
    page = report(markdown("# Sanity check"), title="Departures of January")
    assert "<h1>Departures of January</h1>" in page
    assert '<p class="subtitle">Sanity check</p>' in page
    for title in ("Same as_it is", "*Same* as_it is"):
        page = report(markdown("# *Same* as_it `is`"), title=title)
        assert "<h1>Same as_it is</h1>" in page
        assert 'class="subtitle"' not in page


def test_contents_appear_from_three_headings_on_and_anchors_are_unique() -> None:
    few = report(markdown("# T"), markdown("## A"), markdown("## B"))
    many = report(markdown("# T"), markdown("## A & B"), markdown("## A & B"), markdown("### Ünï"))
    assert "<nav" not in few
    assert [a.get("id") for a in Elements(many).all("h2")] == ["a-b", "a-b-2", "colophon-title"]
    assert '<a href="#a-b-2">A &amp; B</a>' in many
    assert 'href="#ünï"' in many


def test_contents_of_a_long_report_have_its_upper_headings_only() -> None:
    chapters = (f"## Chapter {n}\n\n### First\n\n### Second" for n in range(20))
    page = report(markdown("# T"), *(markdown(chapter) for chapter in chapters))
    assert len(re.findall(r'<li class="level-2">', page)) == 20
    assert '<li class="level-3">' not in page
    flat = report(markdown("# T"), *(markdown(f"### {n}") for n in range(90)))
    assert len(re.findall(r'<li class="level-3">', flat)) == 40


def test_anchors_do_not_change_between_runs() -> None:
    cells = markdown("## A"), code("x")
    first, second = (
        [
            attrs["id"]
            for _, attrs in Elements(report(cells[0], injected, cells[1])).found
            if "id" in attrs
        ]
        for injected in (code("d = 1", tags=("injected-parameters",)) for _ in range(2))
    )
    # papermill gives the cell it injects a new id in every run.
    assert first == second
    assert "cell-parameters" in first


def test_cells_of_notebooks_without_ids_are_anchored_by_their_place() -> None:
    source = json.loads(notebook(markdown("# T\n\ntext"), code("x")))
    source["nbformat_minor"] = 4
    for cell in source["cells"]:
        del cell["id"]
    page = render_report(json.dumps(source).encode(), colophon(), {}).html
    assert 'id="cell-1"' in page
    assert 'id="cell-2"' in page


def test_rendering_the_same_run_twice_gives_the_same_bytes() -> None:
    cells = markdown("# T"), code("1", html("<p>x</p>"), display(application__javascript="1"))
    source = notebook(*cells)
    pages = [render_report(source, colophon(), {"a": 1}) for _ in range(2)]
    assert pages[0] == pages[1]


def test_the_record_is_embedded_and_cannot_break_out() -> None:
    record: dict[str, object] = {"subject": ATTACK + "\u2028<!-- & é", "n": [1, None, 0.5]}
    page = report(record=record)
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert found
    assert not re.search("[<>&\u2028\u2029]", found[1])
    assert json.loads(found[1]) == record


def test_every_value_of_the_colophon_is_inert() -> None:
    plain = Elements(report(code("1"), dirty="ab", error="e", verdict="error"))
    attacked = Elements(report(code("1"), record={"x": ATTACK}, **HOSTILE))
    assert len(attacked.all("script")) == len(plain.all("script"))
    assert attacked.all("img") == []
    assert not any(name.startswith("on") for _, attrs in attacked.found for name in attrs)


def test_texts_of_outputs_are_inert_and_terminal_colours_are_kept() -> None:
    page = report(
        code(
            ATTACK,
            v4.new_output("stream", text=f"\x1b[31m{ATTACK}\x1b[0m"),
            v4.new_output("stream", name="stderr", text=ATTACK),
            display(text__plain=ATTACK),
            display(text__latex=ATTACK),
            raised(ATTACK, ATTACK),
        )
    )
    assert Elements(page).all("img") == []
    assert "ansi-red-fg" in page


def test_progress_bars_leave_their_last_state_and_streams_are_joined() -> None:
    streams = [v4.new_output("stream", text=text) for text in ("10%\r 50%\r", "100%\ndone\n")]
    page = report(code("1", *streams))
    assert " 50%" not in page.split("<article>")[1]
    assert '<pre class="stream">100%\ndone</pre>' in page


def test_an_error_is_shown_in_place_with_its_code_open() -> None:
    banner = markdown("An Exception was encountered")
    banner.metadata["tags"] = ["papermill-error-cell-tag"]
    cells = banner, markdown("# T"), code("a"), code("b", raised())
    page = report(*cells, verdict="error", error="KeyError: 'hour'")
    blocks = [attrs for attrs in Elements(page).all("details") if attrs.get("class") == "code"]
    assert ["open" in attrs for attrs in blocks] == [False, True]
    assert '<a href="#error">' in page
    assert 'id="error"' in page
    assert "An Exception was encountered" not in page
    assert "-----" not in page.split('class="traceback"')[1].split("</pre>")[0]


def test_failed_checks_stand_under_the_title() -> None:
    checks = ((True, "rows"), (False, "rmse is at most 16"))
    page = report(markdown("# T"), verdict="failed", checks=checks)
    head = page.split("</header>")[0]
    assert "1 of 2 checks failed" in head
    assert "<li>rmse is at most 16</li>" in head


@pytest.mark.parametrize(
    "fragment",
    [
        "<div style='display:none'>",
        "</section></article></main></body></html>",
        "<!-- never closed",
        "<script>var x = 1",
        "<style>p{}",
        "<textarea>",
        "<table><tr><td>",
        "<plaintext>",
        "<details/>",
        "<iframe>",
        "<",
        "<a <b",
    ],
)
def test_broken_html_of_a_cell_does_not_swallow_the_colophon(fragment: str) -> None:
    page = report(code("1", html(fragment)), markdown(fragment))
    body = page.split("<article>")[1].split('<footer class="colophon"')[0]
    parser = Elements(body)
    left_open = [tag for tag in parser.open if tag not in {"br", "img"}]
    assert left_open == []
    assert body.count("</article>") == 1
    assert "<plaintext" not in body
    assert body.count("<!--") == body.count("-->")


def test_pandas_tables_are_set_with_text_left_and_numbers_right() -> None:
    import pandas as pd

    table = pd.DataFrame({"carrier": ["AA", "<b>"], "delay": [1.5, float("nan")]})
    page = report(code("1", html(table.to_html(notebook=True))))
    assert "<style scoped>" not in page
    assert '<th class="t">carrier</th>' in page
    assert "<th>delay</th>" in page
    assert '<td class="t">&lt;b&gt;</td>' in page
    assert "<td>NaN</td>" in page


def test_outputs_without_a_form_for_pages_say_so() -> None:
    output = v4.new_output("display_data", data={"application/x-thing+json": "{}"})
    assert "application/x-thing+json" in report(code("1", output))


def test_isolated_html_gets_a_frame_of_its_own() -> None:
    output = html("<script>parent.x = '\"'</script>")
    output.metadata["text/html"] = {"isolated": True}
    frames = Elements(report(code("1", output))).all("iframe")
    assert [frame["sandbox"] for frame in frames] == ["allow-scripts"]
    assert frames[0]["srcdoc"] == "<script>parent.x = '\"'</script>"


def test_figures_carry_their_alternative_text_and_width() -> None:
    output = display(image__png="aGVs\nbG8=\n")
    output.metadata["image/png"] = {"alt": 'Delays "rise"', "width": 630}
    picture = Elements(report(code("1", output))).all("img")[0]
    assert picture["alt"] == 'Delays "rise"'
    assert picture["width"] == "630"
    assert picture["src"] == "data:image/png;base64,aGVsbG8="


def test_files_of_the_server_are_not_read(tmp_path: Any) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg>c4nary</svg>")
    page = report(markdown(f"![x]({secret}) <img src='{secret}'> ![y](attachment:none.png)"))
    assert "c4nary" not in page
    assert "YzRuYXJ5" not in page


@pytest.mark.parametrize("content", NO_NOTEBOOKS)
def test_what_is_no_notebook_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(NotebookError, match=r"notebook"):
        render_report(content, colophon(), {})


def test_halves_of_surrogate_pairs_do_not_stop_the_page() -> None:
    source = notebook(code("1", display(text__plain="x"))).replace(b'"x"', b'"\\ud800"')
    render_report(source, colophon(), {}).html.encode("utf-8")


def test_importing_the_room_imports_no_heavy_library() -> None:
    program = (
        "import sys, pipeline.rendering.render, pipeline.rendering.colophon; "
        "print([m for m in ('nbconvert', 'nbformat', 'papermill', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
