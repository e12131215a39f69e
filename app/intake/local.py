"""The door for work that its maker executes in a process of its own, such as ``provenote run``."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.intake.request import Requester
from pipeline.asked import DataWanted
from pipeline.repository.checkout import Checkout
from provenance.ledger.claims import Claim, claim
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.ids import new_id
from provenance.ledger.intake import CaseToRun, prepare_runs
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Project, Run

_A_DAY = 86_400.0


@dataclass(frozen=True)
class LocalWork:
    """A working tree, or a commit of it, that its maker runs in a process of its own."""

    checkout: Checkout
    branch: str | None
    force: bool
    data: DataWanted
    owner: str
    """The process that does it, as a claim names it."""


def accept_local(
    ledger: Ledger,
    project: Project,
    work: LocalWork,
    cases: Sequence[CaseToRun],
    requester: Requester,
) -> list[Claim]:
    """Write runs that their maker executes itself, claimed from the first, and no bell rings.

    They wait for one another, so each is held for a day until its turn, when its heartbeat
    begins; should the maker die, its process is known to be gone.
    """
    with ledger.writing() as session:
        evaluation = Evaluation(
            id=new_id("eval"),
            project_id=project.id,
            trigger=requester.trigger,
            actor=requester.actor,
            revision=work.branch or work.checkout.commit.sha,
            branch=work.branch,
            force=work.force,
            status=Status.RUNNING,
            started_at=utc_now(),
        )
        session.add(evaluation)
        session.flush()
        runs = prepare_runs(session, evaluation, work.checkout.commit, cases)
        for run in runs:
            run.dirty = work.checkout.dirty
            if (data := work.data.as_json()) is not None:
                run.data = data
        session.flush()
        held = [claim(session, Run, run.id, work.owner, _A_DAY) for run in runs]
    return [found for found in held if found is not None]
