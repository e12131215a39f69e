"""The run that is to be made again: what it was, on which data, and whether that can be had."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from pipeline.asked import DataWanted
from pipeline.step import Step
from provenance.datasets.names import pin_name
from provenance.errors import InvalidInputError
from provenance.identity.differences import listed, of_environment
from provenance.identity.key import Preimage, why
from provenance.ledger.states import Purpose, Verdict
from provenance.ledger.tables import Run
from provenance.store import Store
from provenance.story import Story, load_story

REPRODUCE, WHATIF = str(Purpose.REPRODUCE), str(Purpose.WHATIF)
THEIR_DOING = frozenset(
    {
        *("exception", "exit", "import", "arguments", "bad_output", "no_output"),
        *("outputs", "results", "publish", "query", "command", "output_limit"),
    }
)
"""Kinds of failure that the project's own code and data bring about, each time anew."""


class CannotReproduceError(InvalidInputError):
    """Raised when a run cannot be made again as it was; the message ends "because …"."""

    code = "cannot_reproduce"


@dataclass(frozen=True)
class Original:
    """A run with the records of all its jobs, as far as they are kept."""

    story: Story
    notebook: str | None
    """Digest of the notebook that its page was made from."""


def read_original(session: Session, store: Store, run_id: str) -> Original:
    """Return the run that is to be made again."""
    story = load_story(session, store, run_id, whole=False)
    return Original(story, session.get_one(Run, run_id).notebook)


def hindrance(run: Run) -> str | None:
    """Return why nobody can make *run* again, as the end of a sentence; None where one may try."""
    if run.dirty:
        return "it ran with uncommitted changes, which only its maker had"
    if run.verdict in (Verdict.PASSED, Verdict.FAILED):
        return None
    kind, message = (str((run.error or {}).get(name, "")) for name in ("kind", "message"))
    if run.verdict in (Verdict.ERROR, Verdict.OUTPUT_LIMIT) and kind in THEIR_DOING:
        return None
    told = f": {message.rstrip('.')}" if message else ""
    return f"it came to no result of its own ({run.verdict}){told}"


def same_data(story: Story, data: DataWanted) -> DataWanted:
    """Return what to read to read what the run of *story* read; *data* is what that asked for.

    The batches are those that its records name. What they do not name, such as all that fits
    a pattern, is read as it was when the run began.
    """
    found = {
        pin_name(str(told["kind"]), str(told["dataset"]), str(told["partition"])): str(
            told["batch"]
        )
        for job in story.jobs
        if job.record is not None
        for told in job.record.inputs
        if told.get("batch")
    }
    as_of = data.as_of
    if as_of is None and (found or story.run.error is not None):
        as_of = story.run.started_at
    return DataWanted(as_of=as_of, batches={**data.batches, **found})


def check_same(original: Original | None, step: Step) -> None:
    """Refuse to execute *step* where it would not be what the original executed.

    What an earlier stage gives anew may differ: that is what is looked for. Raises
    CannotReproduceError.
    """
    job = original.story.by_name.get(step.name) if original else None
    if job is None:
        return
    name = "the report" if step.name == "report" else f"stage {step.name}"
    if job.record is None:
        raise CannotReproduceError(f"the record of {name} is no longer in the store")
    try:
        old = Preimage.from_json(job.record.preimage)
    except InvalidInputError:
        told = f"the record of {name} was written by another version of provenote"
        raise CannotReproduceError(told) from None
    _check_surroundings(name, old, step.preimage)
    _check_data(name, old, step)


def _check_surroundings(name: str, old: Preimage, new: Preimage) -> None:
    if changes := of_environment(old.environment, new.environment):
        raise CannotReproduceError(f"the environment of {name} is another one: {listed(changes)}")
    reason = why(replace(old, inputs=new.inputs, environment=new.environment), new)
    if reason.code != "same":
        raise CannotReproduceError(f"{name} would not be the same: {reason.sentence}")


def _check_data(name: str, old: Preimage, step: Step) -> None:
    for file in step.inputs:
        if file.batch is not None and old.inputs.get(file.full_name) != file.output.sha256:
            told = f"input {file.full_name} of {name} is {file.batch.title}, not what it read then"
            raise CannotReproduceError(told)
    if lost := sorted(old.inputs.keys() - step.preimage.inputs.keys()):
        raise CannotReproduceError(f"{name} read {', '.join(lost)}, which is not there any more")
