"""A page as one file gives back the very page that it was made of."""

import hashlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.rendering.assets import FROM_PAGE
from pipeline.rendering.standalone import Sources, Stamp, put_together
from pipeline.rendering.taken_apart import taken_apart
from pipeline.rendering.theme import ASSETS

LIBRARIES = {
    "a.js": "if (a</script>/.b) c; // \\x3c/script \\x3C!-- <!-- <body> </SCRIPT",
    "b.css": "p { color: red }",
    **{path.name: path.read_text() for path in ASSETS.glob("bokeh-widgets*.js")},
}
PIECES = st.sampled_from(
    [
        '<img src="output/0/0-a.png">',
        '<img src="output/0/0-a.png" loading="lazy" decoding="async">',
        '<img src="output/9/9-none.png">',
        '<a href="output/1/0-b.txt">all</a>',
        *("<body>", "</script>", "<!-- -->", "\\x3c/script", "\r\n", "&amp;"),
        '<meta charset="utf-8">',
    ]
)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def page_of(body: str, figure: bytes) -> tuple[str, Sources]:
    """Return a page that leads to a figure and to libraries, and where these are."""
    parts = {"0/0-a.png": [digest(figure), "image/png", len(figure)], "1/0-b.txt": ["0", "t", 1]}
    known = {digest(text.encode()): text for text in LIBRARIES.values()}
    sources = Sources(lambda sha256, _: known[sha256], {digest(figure): figure}.__getitem__)
    tags = "".join(_tag(name, f"{FROM_PAGE}{sha256}/{name}") for name, sha256 in _digests())
    told = f'<script type="application/json" id="parts">{json.dumps(parts)}</script>'
    return f'<!doctype html><head><meta charset="utf-8">\n{told}{tags}</head><body>{body}', sources


def _digests() -> list[tuple[str, str]]:
    return [(name, digest(text.encode())) for name, text in LIBRARIES.items()]


def _tag(name: str, address: str) -> str:
    if name.endswith(".css"):
        return f'<link rel="stylesheet" href="{address}">'
    return f'<script src="{address}"{" defer" if name == "a.js" else ""}></script>'


def put(page: str, sources: Sources, url: str = "http://localhost/x") -> tuple[str, Stamp]:
    stamp = Stamp(digest(page.encode()), "-", url)
    return put_together(page, sources, stamp), stamp


@settings(deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=30))), st.binary(max_size=50))
def test_what_was_put_in_comes_out_again(body: list[str], figure: bytes) -> None:
    page, sources = page_of("".join(body), figure)
    text, stamp = put(page, sources, "http://localhost/?a=\"1\"&'b'")
    apart = taken_apart(text)
    assert apart.page == page
    assert apart.stamp == stamp
    assert apart.changed == []
    assert apart.is_whole(text)


@settings(deadline=None)
@given(st.integers(0, 1_000_000), st.characters(exclude_categories=["Cs"]))
def test_no_other_character_goes_unnoticed(place: int, other: str) -> None:
    page, sources = page_of('<img src="output/0/0-a.png"><a href="output/1/0-b.txt">', b"png")
    text, _ = put(page, sources)
    begin = text.index(">", text.index("provenote-file")) + 1
    place = begin + place % (len(text) - begin)
    altered = text[:place] + other + text[place + 1 :]
    apart = taken_apart(altered)
    fine = not apart.changed and apart.sha256 == apart.stamp.page and apart.is_whole(altered)
    assert fine == (altered == text)
