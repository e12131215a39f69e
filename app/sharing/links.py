"""Links as pages, the interface for programs and the command line make and tell them."""

from datetime import datetime, timedelta
from typing import Any

from app.run_object import instant
from pipeline.installation import Installation
from provenance.datasets.instants import read_instant
from provenance.ledger.columns import utc_now
from provenance.ledger.share_tables import Share
from provenance.ledger.shares import LONGEST, make_share

USUAL_DAYS = 7
MOST_DAYS = LONGEST.days


def end_of(days: int | None, until: str | None) -> datetime:
    """Return when a link ends: so many days from now, or at the instant that *until* names."""
    if until:
        return read_instant(until, "until")
    return utc_now() + timedelta(days=USUAL_DAYS if days is None else days)


def new_link(installation: Installation, run_id: str, ends: datetime, actor: str) -> dict[str, Any]:
    """Make a link, and return it with its address, which nobody can be told again."""
    with installation.ledger.writing() as session:
        row, token = make_share(session, run_id, ends, actor)
        told = share_object(row)
    return {**told, "url": f"{installation.base_url.rstrip('/')}/shared/{token}"}


def share_object(row: Share) -> dict[str, Any]:
    """Return a link in JSON form, without its address."""
    return {
        "id": row.id,
        "run": row.run_id,
        "actor": row.actor,
        "at": instant(row.at),
        "ends_at": instant(row.ends_at),
        "open": row.ended_at is None,
        "revoked_at": instant(row.revoked_at),
        "revoked_by": row.revoked_by,
    }
