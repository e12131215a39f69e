"""What the ledger holds on to: the objects that must not go while a row names them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from provenance.ledger.data_tables import Batch, Pin
from provenance.ledger.environment_tables import EnvironmentBuild
from provenance.ledger.keeping_tables import BinHold, BinnedRun
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Run, RunInput, RunJob
from provenance.ledger.text_tables import Figure
from provenance.ledger.trace_tables import KeyEvent, KeyLease

_DIGEST = re.compile(r"[0-9a-f]{64}")
_Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]


@dataclass(frozen=True)
class Named:
    """A column that names objects, where *only* holds."""

    column: _Column
    only: ColumnElement[bool] | None = None


_CLEARED = Run.expired_at.is_not(None)
WHOLE = (
    Named(Run.record, ~_CLEARED),
    *map(Named, (BinnedRun.record, Batch.record, KeyEvent.record, KeyEvent.other)),
)
"""What names records whose outputs are kept as well: pages, batches, odd results."""
TOLD = (Named(RunJob.record), Named(Run.record, _CLEARED))
"""What names records which are kept for what they say; outputs may be made again."""
PAGES = (Named(Run.html), Named(BinnedRun.html))
"""What names pages: those say in their text what they lead to."""
PLAIN = tuple(
    map(
        Named,
        (
            Run.notebook,
            Run.log,
            RunInput.sha256,
            Batch.sha256,
            EnvironmentBuild.log,
            Figure.sha256,
            BinHold.digest,
        ),
    )
)
"""What names other objects."""


@dataclass(frozen=True)
class Roots:
    """What the ledger names, at one moment."""

    whole: frozenset[str]
    told: frozenset[str]
    pages: frozenset[str]
    plain: frozenset[str]
    used_keys: frozenset[str]
    """Keys that a run needed lately: their results are kept for the next one."""

    @property
    def every(self) -> frozenset[str]:
        """All digests that are named."""
        return self.whole | self.told | self.pages | self.plain


def read_roots(session: Session, used_since: datetime) -> Roots:
    """Return what the ledger names; keys count as used from *used_since* on."""
    pinned = set(session.scalars(select(Pin.target).where(Pin.holds())))
    plain = _named(session, PLAIN) | pinned
    return Roots(
        whole=frozenset(_named(session, WHOLE)),
        told=frozenset(_named(session, TOLD)),
        pages=frozenset(_named(session, PAGES)),
        plain=frozenset(one for one in plain if _DIGEST.fullmatch(one)),
        used_keys=_keys_used(session, used_since),
    )


def _named(session: Session, names: Iterable[Named]) -> set[str]:
    found: set[str] = set()
    for one in names:
        query = select(one.column).where(one.column.is_not(None)).distinct()
        query = query if one.only is None else query.where(one.only)
        found |= {digest for digest in session.scalars(query) if digest}
    return found


def _keys_used(session: Session, since: datetime) -> frozenset[str]:
    query = select(RunJob.key).join(Run, Run.id == RunJob.run_id).where(Run.created_at >= since)
    return frozenset(session.scalars(query))


def named_now(session: Session, digests: list[str]) -> set[str]:
    """Return those of *digests* that a row or a pin names at this moment."""
    found: set[str] = set()
    for column in {one.column for one in (*WHOLE, *TOLD, *PAGES, *PLAIN)}:
        found |= {one for one in session.scalars(select(column).where(column.in_(digests))) if one}
    query = select(Pin.target).where(Pin.target.in_(digests), Pin.holds())
    return found | set(session.scalars(query))


def under_way_since(session: Session) -> datetime | None:
    """Return when the oldest work that is going on now began; None where nothing is."""
    begun = [
        session.scalar(select(func.min(table.started_at)).where(table.status == Status.RUNNING))
        for table in (Run, Evaluation)
    ]
    return min((instant for instant in begun if instant is not None), default=None)


def forget_leases(session: Session, before: datetime) -> int:
    """Delete the leases of keys that ran out before that instant; return how many there were."""
    statement = delete(KeyLease).where(KeyLease.until < before).returning(KeyLease.key)
    return len(session.execute(statement).all())
