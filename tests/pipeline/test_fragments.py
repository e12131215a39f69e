import pytest

from pipeline.rendering.fragments import balanced, set_frames


@pytest.mark.parametrize(
    "fragment",
    [
        "text only",
        "<p>a<br>b <img src=x> &amp; &#169; &lt;</p>",
        "<ul><li>a<li>b</ul>",
        "<table><tr><td>1<td>2</table>",
        "<svg viewBox='0 0 1 1'><path d='M0 0'/></svg>",
        "<script>if (a < b) { c('</p>') }</script>",
        "<!-- note --><b>x</b>",
    ],
)
def test_balanced_html_is_left_as_it_is(fragment: str) -> None:
    assert balanced(fragment) == fragment


@pytest.mark.parametrize(
    ("fragment", "repaired"),
    [
        ("<div><b>x", "<div><b>x</b></div>"),
        ("x</div></main>", "x"),
        ("<b><i>x</b></i>", "<b><i>x</i></b>"),
        ("<!-- x", "&lt;!-- x"),
        ("<plaintext>x", "x"),
        ("<div/>x", "<div/></div>x"),
    ],
)
def test_broken_html_is_closed(fragment: str, repaired: str) -> None:
    assert balanced(fragment) == repaired


def test_tables_with_grouped_headers_keep_their_cells() -> None:
    import pandas as pd

    columns = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    source = pd.DataFrame([[1, "t"]], columns=columns).to_html(notebook=True)
    set_ = set_frames(source)
    assert set_.count("<td") == 2
    assert '<td class="t">t</td>' in set_
    assert "<td>1</td>" in set_


def test_an_empty_frame_is_left_in_one_piece() -> None:
    import pandas as pd

    source = pd.DataFrame({"a": []}).to_html(notebook=True)
    assert "<th>a</th>" in set_frames(source)


def test_a_script_that_never_ends_is_ended() -> None:
    repaired = balanced("<p>a</p><script>x")
    assert repaired.startswith("<p>a</p><script>")
    assert repaired.endswith("</script>")


@pytest.mark.parametrize(
    "repeated",
    ["<a ", '<a a="', "<!--", "</", "<!", "<?", "<tr>", "<script>", "<", "&", "&#", "<a <b>"],
)
def test_what_is_never_ended_is_read_once(repeated: str) -> None:
    """By the square, a tenth of this would take minutes."""
    fragment = repeated * (300_000 // len(repeated))
    found = balanced(f"<p>before</p>{fragment}")
    assert found.startswith("<p>before</p>")


def test_frames_that_are_never_ended_are_left_as_they_are() -> None:
    opened = '<table border="1" class="dataframe">'
    for fragment in (
        opened * 20_000,
        opened + "<tr>" * 200_000 + "</table>",
        f"{opened}<tr>{'<td>' * 200_000}</tr></table>",
        "<style scoped>\n.dataframe tbody tr th:only-of-type" * 10_000 + 'class="dataframe"',
    ):
        assert set_frames(fragment) == fragment
