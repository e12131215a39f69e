"""Why runs did not pass, in one sentence each."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from provenance.ledger.queries.runs import RunRow
from provenance.ledger.tables import Check


def why_not_passed(session: Session, runs: Iterable[RunRow]) -> dict[str, str]:
    """Return by id the message of the first failed check, or of the error, of each that has one."""
    found = {run.id: (run.error or {}).get("message") for run in runs}
    query = (
        select(Check.run_id, Check.message)
        .where(Check.run_id.in_(found), Check.ok.is_(False))
        .order_by(Check.run_id, Check.position.desc())
    )
    found.update((row.run_id, row.message) for row in session.execute(query) if row.message)
    return {run_id: said for run_id, said in found.items() if said}
