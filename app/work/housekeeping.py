"""Keeping house beside the work: pages whose time is over, the bin, what the store takes."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from app.work.owner import owner_name
from app.work.rounds import Rounds
from pipeline.installation import Installation
from provenance.ledger.bin import purge
from provenance.ledger.columns import utc_now
from provenance.ledger.leases import Claimant, acquire, release
from provenance.ledger.queries.storage import is_due
from provenance.ledger.retention import expire, rules
from provenance.measuring import measure_storage

_LOOK_SECONDS = 30.0
_TIDY_SECONDS = 600.0
_MEASURED_EVERY = timedelta(days=1)
_MEASURING, _LONGEST_MEASURING = "measure the store", 3600.0
_AT_ONCE = 200
"""Runs that one transaction clears or lets go of: nobody waits long for it."""


class Housekeeping(Rounds):
    """What several workers do of it twice harms nothing."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(
            (_TIDY_SECONDS, partial(clear_expired, installation)),
            (_TIDY_SECONDS, partial(empty_bin, installation)),
            (_LOOK_SECONDS, partial(measure_if_wanted, installation)),
        )


def clear_expired(installation: Installation) -> int:
    """Clear all pages whose time is over; return how many runs had them."""
    with installation.ledger.reading() as session:
        found = rules(session)
    return sum(
        _until_none(installation, lambda session, rule=rule: expire(session, rule, _AT_ONCE))
        for rule in found
    )


def empty_bin(installation: Installation) -> int:
    """Let go of what has lain in the bin for its time; return how many runs that were."""
    return _until_none(installation, lambda session: purge(session, _AT_ONCE))


def measure_if_wanted(installation: Installation) -> bool:
    """Measure the store where that was asked for, or was not done for a day."""
    ledger = installation.ledger
    with ledger.reading() as session:
        if not is_due(session, utc_now() - _MEASURED_EVERY):
            return False
    with ledger.writing() as session:
        lease = acquire(session, _MEASURING, Claimant(owner_name(), _LONGEST_MEASURING))
    if lease is None:
        return False  # another worker is at it
    try:
        measure_storage(installation.store, ledger)
    finally:
        with ledger.writing() as session:
            release(session, lease)
    return True


def _until_none(installation: Installation, step: Callable[..., int]) -> int:
    total = 0
    while True:
        with installation.ledger.writing() as session:
            count = step(session)
        total += count
        if count < _AT_ONCE:
            return total
