"""The one door: every push, form, call and command becomes work by passing through here.

What is accepted is written in one transaction before anybody hears of it; only then the
doorbell rings. Whoever was told "accepted" finds it in the ledger, whatever dies next.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.intake.offer import Offer, find_project, read_offer, today
from app.work.doorbell import Doorbell
from pipeline.asked import USUAL, DataWanted, data_wanted
from pipeline.cases import case_to_run
from pipeline.installation import Installation
from pipeline.repository.git import checked_revision
from pipeline.sweep import sweep
from provenance.errors import InvalidInputError
from provenance.ledger.claims import queue_again
from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.ids import new_id
from provenance.ledger.intake import CaseToRun, prepare_runs
from provenance.ledger.states import Status, Trigger
from provenance.ledger.tables import Delivery, Evaluation, Project, Run

_RINGING_SECONDS = 3.0
"""How long somebody who asks for many runs waits for a broker that does not answer."""


@dataclass(frozen=True)
class Requester:
    """Who asks, and in which way."""

    trigger: Trigger
    actor: str


@dataclass(frozen=True)
class DeliveryId:
    """What a forge calls one delivery of a hook."""

    forge: str
    id: str
    event: str


@dataclass(frozen=True)
class Push:
    """A branch that moved. Its fields are checked already, by the forge's dialect."""

    ref: str
    branch: str
    sha: str
    before: str | None
    actor: str
    delivery: DeliveryId | None


@dataclass(frozen=True)
class Accepted:
    """The answer to a push."""

    evaluation_id: str
    duplicate: bool
    """Whether the evaluation was there before, from the same push."""


@dataclass(frozen=True)
class RunRequest:
    """One report, wanted at one commit for one set of parameters, or for several."""

    project: str
    report: str
    params: Mapping[str, object]
    """As given: texts from a form or command line, or JSON values."""
    revision: str | None = None
    """A branch, tag or commit; None: the project's default branch."""
    branch: str | None = None
    """The branch that the run belongs to, where *revision* does not name it."""
    force: bool = False
    """Whether to execute everything afresh, even what has not changed."""
    data: DataWanted = USUAL
    """Which data to read, where it is not the current."""
    several: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """Values and ranges of the parameters that have several: each combination is a run."""


class DirtyRunError(InvalidInputError):
    """Raised when a run of uncommitted changes is to be run again, which nobody can."""

    code = "dirty_run"


def accept_push(ledger: Ledger, project: Project, push: Push, doorbell: Doorbell) -> Accepted:
    """Write the evaluation of *push*, once, and ring; a worker prepares it.

    A push that came before, as the same delivery or as the same commit on the same ref, is
    answered with its evaluation, and nothing is written; unless that could not be prepared,
    because a repository did not answer or a worker died: then it is queued once more.
    """
    again = False
    try:
        with ledger.writing() as session:
            known = _evaluation_of(session, project, push)
            evaluation_id = known or _write_push(session, project, push)
            again = known is not None and queue_again(session, known)
    except IntegrityError:
        # The same push was written by somebody else while we were at it.
        with ledger.reading() as session:
            known = _evaluation_of(session, project, push)
        if known is None:
            raise
        evaluation_id = known
    if known is None or again:
        doorbell.ring_evaluation(evaluation_id)
    return Accepted(evaluation_id, duplicate=known is not None and not again)


def accept_run(
    installation: Installation, request: RunRequest, requester: Requester, doorbell: Doorbell
) -> Run:
    """Do as `accept_runs` does with a *request* for one set of parameters; return its run."""
    (run,) = accept_runs(installation, request, requester, doorbell)
    return run


def accept_runs(
    installation: Installation, request: RunRequest, requester: Requester, doorbell: Doorbell
) -> list[Run]:
    """Check *request* against its commit's manifest, write its runs, ring, and return them.

    All of them belong to one evaluation. Raises NotFoundError (project, report, revision),
    InvalidInputError (parameters, manifest) or UnavailableError (repository); then nothing
    was written.
    """
    offer = offer_for(installation, request)
    cases = wanted_cases(offer, request)
    with installation.ledger.writing() as session:
        runs = _write_runs(session, offer, cases, request, requester)
    _ring(doorbell, runs)
    return runs


def _ring(doorbell: Doorbell, runs: Sequence[Run]) -> None:
    """Ring for each of *runs*; where nobody answers the bell, the tick is left to find the rest."""
    deadline = time.monotonic() + _RINGING_SECONDS
    for run in runs:
        doorbell.ring_run(run.id)
        if time.monotonic() > deadline:
            return


def offer_for(installation: Installation, request: RunRequest) -> Offer:
    """Return what *request* is about, as the repository has it now; see `accept_runs`."""
    if request.revision:
        checked_revision(request.revision)
    if request.branch:
        checked_revision(request.branch)
    project = find_project(installation, request.project)
    return read_offer(installation, project, request.report, request.revision, fresh=True)


def wanted_cases(offer: Offer, request: RunRequest) -> list[CaseToRun]:
    """Return the case of each run that *request* makes, once; raise what `sweep` raises."""
    day = today().date()
    resolved = sweep(offer.schema, request.params, request.several, day)
    cases = (case_to_run(offer.report, offer.spec, offer.schema, one, day) for one in resolved)
    return list({case.case_key: case for case in cases}.values())


def accept_again(
    installation: Installation, run: Run, force: bool, requester: Requester, doorbell: Doorbell
) -> Run:
    """Ask for the same report, parameters and commit as *run* once more."""
    if run.dirty:
        raise DirtyRunError(
            f"Run {run.id} was made from uncommitted changes, which only its maker has.",
            "Commit and push them, then run that commit.",
        )
    request = RunRequest(
        project=run.project.name,
        report=run.report,
        params=run.params,
        revision=run.commit_sha,
        branch=run.branch,
        force=force,
        data=replace(data_wanted(run.data), publish=False),
    )
    return accept_run(installation, request, requester, doorbell)


def _evaluation_of(session: Session, project: Project, push: Push) -> str | None:
    if push.delivery is not None:
        same_delivery = select(Delivery.evaluation_id).where(
            Delivery.forge == push.delivery.forge,
            Delivery.project_id == project.id,
            Delivery.delivery_id == push.delivery.id,
        )
        if found := session.scalar(same_delivery):
            return found
    same_push = select(Evaluation.id).where(Evaluation.dedup_key == _dedup_key(project, push))
    return session.scalar(same_push)


def _dedup_key(project: Project, push: Push) -> str:
    return f"push:{project.id}:{push.ref}:{push.sha}"


def _write_push(session: Session, project: Project, push: Push) -> str:
    evaluation = Evaluation(
        id=new_id("eval"),
        project_id=project.id,
        trigger=Trigger.PUSH,
        actor=push.actor,
        revision=push.branch,
        branch=push.branch,
        commit_sha=push.sha,
        before_sha=push.before,
        dedup_key=_dedup_key(project, push),
    )
    session.add(evaluation)
    session.flush()
    if push.delivery is not None:
        session.add(_delivery(project, push.delivery, evaluation.id))
        session.flush()
    return evaluation.id


def _delivery(project: Project, delivery: DeliveryId, evaluation_id: str) -> Delivery:
    return Delivery(
        id=new_id("delivery"),
        forge=delivery.forge,
        project_id=project.id,
        delivery_id=delivery.id,
        event=delivery.event,
        outcome="accepted",
        evaluation_id=evaluation_id,
    )


def _write_runs(
    session: Session,
    offer: Offer,
    cases: Sequence[CaseToRun],
    request: RunRequest,
    requester: Requester,
) -> list[Run]:
    evaluation = Evaluation(
        id=new_id("eval"),
        project_id=offer.project.id,
        trigger=requester.trigger,
        actor=requester.actor,
        revision=offer.revision,
        branch=request.branch or offer.branch,
        force=request.force,
        # Its runs are written with it, so no worker has to prepare it.
        status=Status.RUNNING,
        started_at=utc_now(),
    )
    session.add(evaluation)
    session.flush()
    runs = prepare_runs(session, evaluation, offer.commit, cases)
    if (data := request.data.as_json()) is not None:  # left out it is NULL, not JSON's null
        for run in runs:
            run.data = data
        session.flush()
    return runs
