"""The run object as commands print it: with its jobs."""

from typing import Any

from sqlalchemy import select

from app.run_object import run_object, whole_run
from pipeline.installation import Installation
from provenance.ledger.queries.figures import figures_of
from provenance.ledger.queries.progress import progress_of
from provenance.ledger.tables import RunJob

_TOLD = ("stage", "key", "status", "reason", "sentence", "seconds")


def run_with_jobs(installation: Installation, run_id: str) -> dict[str, Any]:
    """Return the run object, with what was executed or reused for it and why, and with the number
    of figures that its page shows: None as long as nobody has looked."""
    with installation.ledger.reading() as session:
        run = whole_run(session, run_id)
        progress = progress_of(session, [run]).get(run_id)
        told = run_object(run, installation.base_url, progress)
        jobs = session.scalars(
            select(RunJob).where(RunJob.run_id == run_id).order_by(RunJob.position)
        )
        told["figures"] = figures_of(session, run.html).total
        told["jobs"] = [{name: getattr(job, name) for name in _TOLD} for job in jobs]
    return told
