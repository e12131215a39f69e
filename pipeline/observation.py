"""What a job was seen to read in the checkout beyond the code that its key knows."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.step import Step
from pipeline.untrusted import UntrustedFileError, read_regular
from pipeline.workplace import Workplace
from provenance.identity.observed import Observed, read_observed

if TYPE_CHECKING:
    from pipeline.situation import Situation

_MOST_BYTES = 2 * 1024 * 1024
_BLIND = frozenset({"sql", "command"})
"""Kinds of jobs that do not see the checkout at all: a command has copies of what it names.

So has a notebook in another language than Python."""


def asked_to_observe(situation: "Situation", step: Step, place: Workplace) -> dict[str, Any]:
    """Return what the SDK is told, so that it notes what users' code opens."""
    files = [file["path"] for file in step.code["files"]]
    root = str(situation.checkout.root)
    return {"observe": {"root": root, "log": str(place.observed), "closure": files}}


def observed_by(situation: "Situation", step: Step, place: Workplace, began: datetime) -> Observed:
    """Return what the job that ran in *place* since *began* opened in the checkout."""
    files = [file["path"] for file in step.code["files"]]
    try:
        foreign = step.definition.content.get("kernel") is not None
        blind = foreign or step.preimage.kind in _BLIND
        log = b"" if blind else read_regular(place.observed, _MOST_BYTES)
    except (FileNotFoundError, UntrustedFileError):
        return Observed({}, complete=False)  # users' code removed it, or put another in its place
    return read_observed(log, situation.checkout.root, files, began.timestamp())


def told_of_observed(observed: Observed) -> dict[str, Any]:
    """Return what the record says of it: the holes, and what was written where it should not."""
    told: dict[str, Any] = {}
    if observed.files:
        told["observed"] = observed.files
    if observed.wrote:
        told["wrote"] = list(observed.wrote)
    return told
