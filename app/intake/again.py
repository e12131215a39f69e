"""The door for runs about another run: to make it again, or to ask "what if"."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.intake.offer import Offer, read_offer, today
from app.intake.request import DirtyRunError, Requester
from app.work.doorbell import Doorbell
from pipeline.asked import DataWanted, data_wanted
from pipeline.cases import case_to_run
from pipeline.installation import Installation
from pipeline.repository.git import checked_revision
from pipeline.reproduction.answer import cannot
from pipeline.reproduction.original import REPRODUCE, WHATIF, hindrance, same_data
from provenance.datasets.lookup import batch_of, require_batch
from provenance.datasets.names import DATA, MAIN, MODEL, pin_name
from provenance.datasets.resolve import Reference
from provenance.errors import ConflictingError, InvalidInputError
from provenance.ledger.columns import utc_now
from provenance.ledger.ids import new_id
from provenance.ledger.intake import CaseToRun, CommitFacts, prepare_runs
from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.ledger.states import ENDED, Status, Trigger
from provenance.ledger.tables import Commit, Evaluation, Run
from provenance.ledger.trace_tables import Reproduction
from provenance.nearest import did_you_mean, listed
from provenance.story import load_story


class CannotBeginError(ConflictingError):
    """Raised when a run cannot be made again, which is known before anything is executed.

    It is an answer, and was kept as one: ``reproduction`` is its row.
    """

    code = "cannot_reproduce"

    def __init__(self, reproduction: Reproduction) -> None:
        super().__init__(reproduction.sentence)
        self.reproduction = reproduction


class NotOverError(InvalidInputError):
    """Raised when something is asked about the result of a run that has none yet."""

    code = "not_over"


class SwapError(InvalidInputError):
    """Raised when it is not clear what is to be other than it was."""

    code = "swap"


@dataclass(frozen=True)
class Swap:
    """The one thing that is to be other than it was."""

    code: str | None = None
    """A branch, tag or commit."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Batches, each the id or number of one, by ``dataset/partition`` or ``model:name``."""
    as_of: datetime | None = None
    params: Mapping[str, object] = field(default_factory=dict)

    def check(self) -> None:
        """Raise SwapError unless exactly one kind of thing is swapped."""
        told = {"code": self.code, "data": self.data, "as_of": self.as_of, "params": self.params}
        chosen = [name for name, value in told.items() if value]
        if len(chosen) != 1:
            raise SwapError(
                f"Found {listed(chosen) if chosen else 'nothing'} to swap, expected exactly one "
                "of code, data, as_of and params.",
                "With several, nobody could say which of them moved what.",
            )


@dataclass(frozen=True)
class _Again:
    """A run about another, ready to be written."""

    original: Run
    purpose: str
    trigger: Trigger
    case: CaseToRun
    commit: CommitFacts
    branch: str | None
    data: dict[str, Any] | None


def accept_reproduction(
    installation: Installation,
    run: Run,
    tolerance: float,
    requester: Requester,
    doorbell: Doorbell,
) -> Run:
    """Ask for *run* to be made again, write that, ring, and return the run that will do it.

    It gets the same commit and parameters, and the batches that *run* stands on. Raises
    CannotBeginError, NotOverError or InvalidInputError.
    """
    if not 0 <= tolerance < 1:
        raise InvalidInputError(f"tolerance: found {tolerance!r}, expected at least 0, below 1.")
    _check_over(run)
    if (because := hindrance(run)) is not None:
        _refuse(installation, run, because, requester.actor)
    case = CaseToRun(run.report, run.params, run.origins, run.case)
    data = (_same_data(installation, run).as_json() or {}) | {"tolerance": tolerance}
    with installation.ledger.writing() as session:
        commit = session.get_one(Commit, (run.project_id, run.commit_sha))
        told = _Again(run, REPRODUCE, Trigger.REPRODUCE, case, commit, run.branch, data)
        made = _write(session, told, requester.actor)
    doorbell.ring_run(made.id)
    return made


def accept_whatif(
    installation: Installation, run: Run, swap: Swap, requester: Requester, doorbell: Doorbell
) -> Run:
    """Ask for *run* with one thing swapped, write that, ring, and return the run that will do it.

    Everything else is as it was: commit, parameters, and the batches that *run* stands on.
    Raises SwapError, NotOverError, DirtyRunError, and what reading the commit raises.
    """
    swap.check()
    _check_over(run)
    if run.dirty and swap.code is None:
        raise DirtyRunError(
            f"Run {run.id} was made from uncommitted changes, which only its maker has.",
            "Swap the code for a commit, or ask about a run of a commit.",
        )
    revision = checked_revision(swap.code) if swap.code else run.commit_sha
    offer = read_offer(installation, run.project, run.report, revision, fresh=True)
    case = _case(offer, run, swap)
    data = _swapped_data(installation, run, swap).as_json()
    branch = (offer.branch or run.branch) if swap.code else run.branch
    told = _Again(run, WHATIF, Trigger.WHATIF, case, offer.commit, branch, data)
    with installation.ledger.writing() as session:
        made = _write(session, told, requester.actor)
    doorbell.ring_run(made.id)
    return made


def _case(offer: Offer, run: Run, swap: Swap) -> CaseToRun:
    """Return the values of *run*, as far as the commit knows them, with those that are swapped.

    Its case is that of *run*, whatever defaults the other commit has, but for what is swapped.
    """
    kept = {name: value for name, value in run.params.items() if name in offer.schema.names}
    day = today().date()
    resolved = offer.schema.resolve({**kept, **swap.params}, day)
    found = case_to_run(offer.report, offer.spec, offer.schema, resolved, day)
    named = {*run.case, *swap.params}
    return found._replace(case={name: found.params[name] for name in found.params if name in named})


def _check_over(run: Run) -> None:
    if run.status not in ENDED:
        raise NotOverError(f"Run {run.id} is {run.status}.", "Wait until it has ended.")
    if run.purpose == REPRODUCE:
        raise InvalidInputError(
            f"Run {run.id} makes run {run.again_of} again.", f"Ask about {run.again_of} itself."
        )


def _refuse(installation: Installation, run: Run, because: str, actor: str) -> None:
    answer = cannot(because)
    told = (str(answer.grade), answer.sentence, answer.details, actor)
    with installation.ledger.writing() as session:
        row = write_reproduction(session, Attempted(run.id, None, *told))
    raise CannotBeginError(row)


def _same_data(installation: Installation, run: Run) -> DataWanted:
    with installation.ledger.reading() as session:
        story = load_story(session, installation.store, run.id, whole=False)
    return same_data(story, data_wanted(run.data))


def _swapped_data(installation: Installation, run: Run, swap: Swap) -> DataWanted:
    """Return what to read: the batches of the original, but for what is swapped."""
    if swap.as_of is not None:
        return DataWanted(as_of=swap.as_of)
    same = _same_data(installation, run)
    if not swap.data:
        return same
    with installation.ledger.reading() as session:
        found = dict(_batch(session, name, batch) for name, batch in swap.data.items())
    for name in found:
        if name not in same.batches:
            near = did_you_mean(name, same.batches)
            stands = f"It stands on {listed(same.batches) if same.batches else 'no dataset'}."
            raise SwapError(f"Run {run.id} does not stand on {name}.", f"{stands} {near}".rstrip())
    return replace(same, batches={**same.batches, **found})


def _batch(session: Session, name: str, batch: str) -> tuple[str, str]:
    """Return the full name and id of a batch, which may be told by its id alone or a number."""
    if name in ("", batch):
        row = require_batch(session, batch)
        of = row.partition
        return pin_name(of.dataset.kind, of.dataset.name, of.name), row.id
    if name.startswith("model:"):
        model = name.removeprefix("model:")
        return name, batch_of(session, Reference(MODEL, model), batch).id
    dataset, _, partition = name.partition("/")
    reference = Reference(DATA, dataset, partition or MAIN)
    return reference.pin, batch_of(session, reference, batch).id


def _write(session: Session, told: _Again, actor: str) -> Run:
    original = told.original
    evaluation = Evaluation(
        id=new_id("eval"),
        project_id=original.project_id,
        trigger=told.trigger,
        actor=actor,
        revision=told.commit.sha,
        branch=told.branch,
        force=told.purpose == REPRODUCE,
        # Its only run is written with it, so no worker has to prepare it.
        status=Status.RUNNING,
        started_at=utc_now(),
    )
    session.add(evaluation)
    session.flush()
    (run,) = prepare_runs(session, evaluation, told.commit, [told.case])
    run.purpose, run.again_of, run.data = told.purpose, original.id, told.data
    session.flush()
    return run
