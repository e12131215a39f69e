"""Tags and comments, and what lists show of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.datasets.pins import pin
from provenance.ledger.engine import Ledger
from provenance.ledger.finding import UnknownRunError
from provenance.ledger.marks import (
    LONGEST_COMMENT,
    LONGEST_TAG,
    MOST_TAGS,
    BadCommentError,
    BadTagError,
    Marks,
    TooManyMarksError,
    UnknownCommentError,
    UnknownTagError,
    add_comment,
    add_tag,
    comments_of,
    marks_of,
    read_tag,
    remove_comment,
    remove_tag,
    tags_of,
)
from tests.support.rows import add_evaluation, add_project, add_runs


@pytest.fixture
def run(ledger: Ledger) -> str:
    (run_id,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)))
    return run_id


def test_a_tag_is_there_once_and_can_go(ledger: Ledger, run: str) -> None:
    with ledger.writing() as session:
        for text in ("for  the\tpaper", "for the paper", "v1.0"):
            add_tag(session, run, text, "ada")
        assert tags_of(session, run) == ["for the paper", "v1.0"]
        remove_tag(session, run, "v1.0")
    with ledger.writing() as session:
        assert tags_of(session, run) == ["for the paper"]
        with pytest.raises(UnknownTagError, match="for the paper"):
            remove_tag(session, run, "for the papr")


@pytest.mark.parametrize(
    "text", ["", " ", "-x", "<b>", "a\0", "a" * (LONGEST_TAG + 1), "a;b", "\u202ea"]
)
def test_what_is_no_tag_is_told(ledger: Ledger, run: str, text: str) -> None:
    with ledger.writing() as session, pytest.raises(BadTagError, match="A tag: found"):
        add_tag(session, run, text, "ada")


@given(st.text(max_size=60))
def test_any_text_is_a_tag_or_refused(text: str) -> None:
    try:
        tag = read_tag(text)
    except BadTagError:
        return
    assert 1 <= len(tag) <= LONGEST_TAG
    assert read_tag(tag) == tag


def test_a_run_has_so_many_tags_at_most(ledger: Ledger, run: str) -> None:
    with ledger.writing() as session:
        for number in range(MOST_TAGS):
            add_tag(session, run, f"t{number}", "ada")
        add_tag(session, run, "t0", "ada")
        with pytest.raises(TooManyMarksError):
            add_tag(session, run, "one more", "ada")


def test_what_is_said_stands_in_its_order_and_only_ones_own_can_go(
    ledger: Ledger, run: str
) -> None:
    with ledger.writing() as session:
        first = add_comment(session, run, " Why\r\nthis? \0", "ada")
        add_comment(session, run, "Snow.", "eve")
        assert [one.text for one in comments_of(session, run)] == ["Why\nthis?", "Snow."]
        with pytest.raises(UnknownCommentError, match="Only one's own"):
            remove_comment(session, first.id, "eve")
        assert remove_comment(session, first.id, "ada") == run
    with ledger.reading() as session:
        assert [one.text for one in comments_of(session, run)] == ["Snow."]


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST_COMMENT + 1)])
def test_what_is_no_comment_is_told(ledger: Ledger, run: str, text: str) -> None:
    with ledger.writing() as session, pytest.raises(BadCommentError, match="A comment: found"):
        add_comment(session, run, text, "ada")


def test_a_run_that_is_not_there_takes_neither(ledger: Ledger) -> None:
    with ledger.writing() as session:
        with pytest.raises(UnknownRunError):
            add_tag(session, "run_none", "x", "ada")
        with pytest.raises(UnknownRunError):
            add_comment(session, "run_none", "x", "ada")


def test_lists_show_what_runs_have(ledger: Ledger, run: str) -> None:
    with ledger.writing() as session:
        assert marks_of(session, [run]) == {}
        add_tag(session, run, "v1", "ada")
        add_comment(session, run, "Snow.", "eve")
        pin(session, run, "ada")
    with ledger.reading() as session:
        assert marks_of(session, [run, "run_none"]) == {run: Marks(("v1",), True, 1)}
