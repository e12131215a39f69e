"""Claims as tests make and lose them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from provenance.ledger.claims import (
    Claim,
    claim,
    close_evaluation_if_done,
    finish,
    give_back,
)
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Run

ROOT = Path(__file__).resolve().parents[3]
LEASE = 60.0


def take(ledger: Ledger, run_id: str, owner: str = "host/1/0", lease: float = LEASE) -> Claim:
    with ledger.writing() as session:
        claimed = claim(session, Run, run_id, owner, lease)
    assert claimed is not None
    return claimed


def row(ledger: Ledger, run_id: str) -> Run:
    with ledger.reading() as session:
        return session.get_one(Run, run_id)


def columns(ledger: Ledger, run_id: str) -> dict[str, Any]:
    with ledger.reading() as session:
        query = select(Run.__table__).where(Run.id == run_id)
        return dict(session.execute(query).mappings().one())


def lose(ledger: Ledger, run_id: str, owner: str | None = None) -> Status:
    """Let the lease of a run end, and take the run back."""
    with ledger.writing() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=past))
    with ledger.writing() as session:
        return give_back(session, Run, run_id, owner)


def end(ledger: Ledger, claimed: Claim, verdict: Verdict) -> None:
    with ledger.writing() as session:
        finish(session, claimed, verdict=verdict)
        close_evaluation_if_done(session, session.get_one(Run, claimed.id).evaluation_id)
