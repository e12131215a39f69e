"""Links to one report in the ledger, on each database that is supported."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.finding import UnknownRunError
from provenance.ledger.shares import (
    EndedShareError,
    NothingToShareError,
    ShareEndError,
    UnknownShareError,
    make_share,
    revoke_share,
    share_of_token,
    shares_of,
)
from tests.support.rows import add_evaluation, add_project, add_runs

WEEK = timedelta(days=7)


@pytest.fixture
def run_id(ledger: Ledger) -> str:
    (made,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)), html="a" * 64)
    return made


def made(ledger: Ledger, run_id: str, after: timedelta = WEEK) -> tuple[str, str]:
    with ledger.writing() as session:
        row, token = make_share(session, run_id, utc_now() + after, "ada")
        return row.id, token


def test_a_token_is_long_and_kept_nowhere(ledger: Ledger, run_id: str) -> None:
    share_id, token = made(ledger, run_id)
    assert re.fullmatch(r"[\w-]{43}", token)
    assert token != made(ledger, run_id)[1]
    with ledger.reading() as session:
        assert share_of_token(session, token).id == share_id
        kept = session.execute(text("SELECT * FROM share")).all()
    assert token not in str(kept)


def test_links_are_listed_the_newest_first_and_of_their_run_alone(
    ledger: Ledger, run_id: str
) -> None:
    ids = [made(ledger, run_id)[0] for _ in range(3)]
    (other,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)), html="b" * 64)
    made(ledger, other)
    with ledger.reading() as session:
        assert [row.id for row in shares_of(session, run_id)] == ids[::-1]


def test_a_link_ends_by_itself_and_by_hand(ledger: Ledger, run_id: str) -> None:
    share_id, token = made(ledger, run_id)
    with ledger.writing() as session:
        first = revoke_share(session, share_id, "bob").revoked_at
    with ledger.writing() as session:
        again = revoke_share(session, share_id, "eve")
        assert (again.revoked_at, again.revoked_by) == (first, "bob")
    with ledger.reading() as session, pytest.raises(EndedShareError, match="It was revoked at"):
        share_of_token(session, token)
    share_id, token = made(ledger, run_id)
    with ledger.writing() as session:
        share_of_token(session, token).ends_at = utc_now() - WEEK
    with ledger.reading() as session, pytest.raises(EndedShareError, match="It ended at"):
        share_of_token(session, token)
    with ledger.writing() as session:
        assert revoke_share(session, share_id, "bob").revoked_at is None


@pytest.mark.parametrize("forged", ["", "x", "a" * 43, "a" * 100_000, "\0" * 43, "\ud800" * 43])
def test_what_is_no_token_is_unknown(ledger: Ledger, run_id: str, forged: str) -> None:
    made(ledger, run_id)
    with ledger.reading() as session, pytest.raises(UnknownShareError):
        share_of_token(session, forged)


def test_what_cannot_be_shared_is_told(ledger: Ledger, run_id: str) -> None:
    for after in (-WEEK, timedelta(days=400)):
        with pytest.raises(ShareEndError):
            made(ledger, run_id, after)
    (bare,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)))
    with pytest.raises(NothingToShareError):
        made(ledger, bare)
    with pytest.raises(UnknownRunError):
        made(ledger, "run_none")
    with ledger.writing() as session, pytest.raises(UnknownShareError):
        revoke_share(session, "share_none", "ada")
