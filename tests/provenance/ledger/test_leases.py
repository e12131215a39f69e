"""Leases of keys: one holder at a time, a greater token each time, and no late writer."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.key_events import NONDETERMINISTIC, Odd, key_events, note_key_event
from provenance.ledger.leases import (
    Claimant,
    Lease,
    LeaseLostError,
    Leases,
    acquire,
    release,
    renew,
)
from provenance.ledger.trace_tables import KeyLease
from tests.support.waiting import wait_for

KEY = "k" * 64


def take(
    ledger: Ledger, owner: str, seconds: float = 60.0, gone: str | None = None
) -> Lease | None:
    with ledger.writing() as session:
        return acquire(session, KEY, Claimant(owner, seconds, gone))


def until(ledger: Ledger) -> datetime:
    with ledger.reading() as session:
        return session.get_one(KeyLease, KEY).until


def test_one_holds_a_key_until_it_gives_it_back_and_tokens_grow(ledger: Ledger) -> None:
    first = take(ledger, "a")
    assert first == Lease(KEY, "a", 1)
    assert take(ledger, "b") is None
    with ledger.writing() as session:
        release(session, first)
    assert take(ledger, "b") == Lease(KEY, "b", 2)


def test_one_who_is_silent_for_too_long_loses_the_key_and_is_refused(ledger: Ledger) -> None:
    late = take(ledger, "a", seconds=-1)
    assert late is not None
    with ledger.writing() as session:
        assert renew(session, late, -1), "nobody has taken it yet"
    now = take(ledger, "b")
    assert now == Lease(KEY, "b", 2)
    with ledger.writing() as session:
        assert not renew(session, late, 60)
        release(session, late)
        assert renew(session, now, 60)


def test_one_who_is_known_to_be_dead_is_not_waited_for(ledger: Ledger) -> None:
    assert take(ledger, "host/locks/1") is not None
    assert take(ledger, "host/locks/2", gone="host/other/") is None
    found = take(ledger, "host/locks/2", gone="host/locks/")
    assert found is not None
    assert found.token == 2


def test_of_eight_who_ask_at_once_one_gets_the_key(ledger: Ledger) -> None:
    gate = threading.Barrier(8)

    def ask(number: int) -> Lease | None:
        gate.wait()
        return take(ledger, f"worker{number}")

    with ThreadPoolExecutor(8) as pool:
        found = [lease for lease in pool.map(ask, range(8)) if lease is not None]
    assert len(found) == 1


def test_a_lease_is_renewed_for_as_long_as_its_holder_works(ledger: Ledger) -> None:
    leases = Leases(ledger, "host", seconds=3)
    lease = leases.take(KEY, "locks", locked=True)
    assert lease is not None
    taken_until = until(ledger)
    with leases.kept(lease):
        wait_for(lambda: utc_now() > taken_until, "the lease to outlast what it was taken for")
        assert take(ledger, "other") is None
        assert until(ledger) > taken_until
    assert take(ledger, "other") is not None, "it was given back at the end"


def test_a_ledger_that_is_away_when_a_lease_is_given_back_spoils_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made is published by then; the lease runs out by itself."""
    leases = Leases(ledger, "host", seconds=60)
    lease = leases.take(KEY, "locks", locked=True)
    assert lease is not None

    def away() -> NoReturn:
        raise OperationalError("UPDATE key_lease", {}, Exception("server closed the connection"))

    with capture_logs() as told, leases.kept(lease):
        monkeypatch.setattr(ledger, "writing", away)
    assert [(one["event"], one["key"]) for one in told] == [("lease was not given back", KEY)]
    with pytest.raises(KeyError), leases.kept(lease):
        raise KeyError("of the work itself, which is what has to be told")


def test_who_lost_the_lease_cannot_publish(ledger: Ledger) -> None:
    leases = Leases(ledger, "host", seconds=0.2)
    lease = leases.take(KEY, "locks", locked=True)
    assert lease is not None
    with leases.fenced(lease):
        pass
    wait_for(lambda: take(ledger, "other") is not None, "the lease to run out", 10)
    published = []
    with pytest.raises(LeaseLostError, match="another took over"), leases.fenced(lease):
        published.append(1)
    assert published == []


def test_while_one_publishes_nobody_takes_the_key(ledger: Ledger) -> None:
    leases = Leases(ledger, "host", seconds=0.1)
    lease = leases.take(KEY, "locks", locked=True)
    assert lease is not None
    threading.Event().wait(0.2)
    order: list[str] = []

    def rival() -> None:
        while take(ledger, "rival") is None:
            pass
        order.append("rival")

    thread = threading.Thread(target=rival)
    with leases.fenced(lease):
        thread.start()
        threading.Event().wait(0.5)
        order.append("published")
    thread.join(30)
    assert order == ["published", "rival"]


def test_what_was_odd_about_a_key_is_told_in_order(ledger: Ledger) -> None:
    with ledger.writing() as session:
        note_key_event(session, KEY, NONDETERMINISTIC, Odd("a" * 64, "b" * 64, "run_1"))
        note_key_event(session, "x" * 64, NONDETERMINISTIC, Odd("c" * 64, None, None))
    Leases(ledger, "host").note_refused(KEY, "a" * 64, "d" * 64, "run_2")
    with ledger.reading() as session:
        found = [(one.kind, one.record, one.other, one.run_id) for one in key_events(session, KEY)]
    assert found == [
        ("nondeterministic", "a" * 64, "b" * 64, "run_1"),
        ("refused", "a" * 64, "d" * 64, "run_2"),
    ]
