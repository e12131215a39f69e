"""Leases of keys: across hosts one worker makes the result of a key, and a late one is refused.

Each holder gets a token that is greater by one than that of the holder before. Whoever wants
to publish has to show owner and token; once another has taken the key, they no longer fit.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, or_, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from provenance.errors import UnavailableError
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.ids import new_id
from provenance.ledger.key_events import REFUSED, Odd, note_key_event
from provenance.ledger.trace_tables import KeyLease

SECONDS = 60.0
_FREE = ""
_RENEWALS = 3
"""How often a lease is renewed within its length."""


class LeaseLostError(UnavailableError):
    """Raised when a result is not published because another worker took over its key."""

    code = "lease_lost"


@dataclass(frozen=True)
class Lease:
    """The right to make and publish the result of a key, until another takes over."""

    key: str
    owner: str
    token: int


@dataclass(frozen=True)
class Claimant:
    """Who asks for a lease, and what it knows of the one who has it.

    ``gone``: owners whose names begin so are known to be dead. ``modest``: only a lease that
    has run out is taken, not one that is free.
    """

    owner: str
    seconds: float = SECONDS
    gone: str | None = None
    modest: bool = False


def acquire(session: Session, key: str, claimant: Claimant) -> Lease | None:
    """Take the lease of *key* where it is to be had; None where another holds it."""
    now = utc_now()
    until = now + timedelta(seconds=claimant.seconds)
    to_be_had = and_(KeyLease.until <= now, KeyLease.owner != _FREE)
    if not claimant.modest:
        to_be_had = or_(to_be_had, KeyLease.owner == _FREE)
    if claimant.gone:
        to_be_had = or_(to_be_had, KeyLease.owner.startswith(claimant.gone, autoescape=True))
    statement = (
        update(KeyLease)
        .where(KeyLease.key == key, to_be_had)
        .values(owner=claimant.owner, token=KeyLease.token + 1, until=until)
        .execution_options(synchronize_session=False)
    )
    token = session.execute(statement.returning(KeyLease.token)).scalar_one_or_none()
    if token is not None:
        return Lease(key, claimant.owner, token)
    if claimant.modest or session.get(KeyLease, key) is not None:
        return None
    return _first(session, KeyLease(key=key, owner=claimant.owner, token=1, until=until))


def _first(session: Session, row: KeyLease) -> Lease | None:
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None  # another was first by a moment
    return Lease(row.key, row.owner, row.token)


def renew(session: Session, lease: Lease, seconds: float) -> bool:
    """Prolong the lease; False where another has it.

    One that has run out but that nobody took is still its holder's.
    """
    until = utc_now() + timedelta(seconds=seconds)
    return _change(session, lease, {"until": until})


def release(session: Session, lease: Lease) -> None:
    """Give the lease back, if it is still ours; its token stays, and goes on growing."""
    _change(session, lease, {"owner": _FREE, "until": utc_now()})


def _change(session: Session, lease: Lease, values: dict[str, object]) -> bool:
    statement = (
        update(KeyLease)
        .where(
            KeyLease.key == lease.key,
            KeyLease.owner == lease.owner,
            KeyLease.token == lease.token,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement.returning(KeyLease.key)).first() is not None


class Leases:
    """Leases as the cache uses them: taken for a while, and renewed for as long as that is."""

    def __init__(self, ledger: Ledger, host: str, seconds: float = SECONDS) -> None:
        self._ledger = ledger
        self._host = host
        self.seconds = seconds

    def take(self, key: str, place: str, *, locked: bool, patience: bool = True) -> Lease | None:
        """Take the lease of *key*; None where another holds it.

        *locked* says that we hold this host's lock for the key, whose file is *place*: then a
        holder that had it before us is dead, however long its lease would have lasted. One
        who has no lock takes only what has run out: the lock's holder is there but silent.
        Without *patience* such a one also takes a lease that is free.
        """
        mine = f"{self._host}/{place}/"
        claimant = Claimant(
            owner=(mine if locked else f"{self._host}/late/") + new_id("lease"),
            seconds=self.seconds,
            gone=mine if locked else None,
            modest=patience and not locked,
        )
        if not self._looks_free(key, claimant):
            return None
        with self._ledger.writing() as session:
            return acquire(session, key, claimant)

    def _looks_free(self, key: str, claimant: Claimant) -> bool:
        """Look before asking: of many who wait, each would have the ledger written to."""
        with self._ledger.reading() as session:
            row = session.get(KeyLease, key)
        if row is None or row.owner == _FREE:
            return not claimant.modest
        return row.until <= utc_now() or bool(claimant.gone and row.owner.startswith(claimant.gone))

    @contextmanager
    def kept(self, lease: Lease) -> Iterator[None]:
        """Renew *lease* now and then until the block ends; then give it back."""
        over = threading.Event()
        arguments = (lease, over)
        threading.Thread(target=self._renew, args=arguments, daemon=True, name="lease").start()
        try:
            yield
        finally:
            over.set()
            self._give_back(lease)

    def _give_back(self, lease: Lease) -> None:
        """Release the lease; what was made under it is published by now, and must not fail."""
        try:
            with self._ledger.writing() as session:
                release(session, lease)
        except SQLAlchemyError as error:
            import structlog  # slow to import, and hardly ever needed

            structlog.get_logger().warning(
                "lease was not given back", key=lease.key, error=str(error)[:500]
            )

    def _renew(self, lease: Lease, over: threading.Event) -> None:
        held = True
        while held and not over.wait(self.seconds / _RENEWALS):
            try:
                with self._ledger.writing() as session:
                    held = renew(session, lease, self.seconds)
            except SQLAlchemyError:
                continue  # the ledger does not answer; what counts is asked at publication

    @contextmanager
    def fenced(self, lease: Lease) -> Iterator[None]:
        """Let the block publish; nobody can take the key meanwhile. Raises LeaseLostError."""
        with self._ledger.writing() as session:
            if not renew(session, lease, self.seconds):
                raise LeaseLostError(
                    f"The result of key {lease.key[:12]}… was not published: this worker was "
                    f"silent for more than {self.seconds:g} s, and another took over.",
                    "What the other one makes stands for the key.",
                )
            yield

    def note_refused(self, key: str, stands: str, other: str, run_id: str | None) -> None:
        """Write down that the record *other* came too late; *stands* is the key's own, if any."""
        with self._ledger.writing() as session:
            note_key_event(session, key, REFUSED, Odd(stands, other, run_id))
