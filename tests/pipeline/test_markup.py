"""HTML as tags and texts, in one pass."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.markup import Piece, pieces


def test_tags_and_texts_come_in_their_order() -> None:
    assert list(pieces("a &amp; <B class='x'>b</b><br/>")) == [
        Piece(text="a & "),
        Piece("b", attributes=" class='x'"),
        Piece(text="b"),
        Piece("b", is_end=True),
        Piece("br", attributes="/"),
    ]


def test_what_is_not_seen_is_left_out() -> None:
    told = "<script>if (a < b) { x('<p>') }</script><style>p {}</style><!-- no --><!doctype html>x"
    assert [piece.text for piece in pieces(told) if not piece.tag] == ["x"]


def test_a_lone_sign_is_text() -> None:
    assert list(pieces("1 < 2")) == [Piece(text="1 < 2")]


@pytest.mark.parametrize("part", ["<a ", "</", "<!--", "<a b='", "<script>", "<![CDATA[", "&", "<"])
def test_the_time_grows_with_the_length_alone(part: str) -> None:
    """Python's own parser takes minutes for some of these."""
    began = time.process_time()
    for _ in pieces(part * (1_000_000 // len(part))):
        pass
    assert time.process_time() - began < 10


@given(st.text(alphabet="<>/!-ab \"'=&;", max_size=300))
def test_nothing_is_lost_but_markup(html: str) -> None:
    found = "".join(piece.text for piece in pieces(html))
    assert len(found) <= len(html)
