"""The codes that status columns hold. Display text lives with the pages."""

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """How far a run or an evaluation has come."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    DEAD = "dead"
    """Its workers were lost too often; it waits for a person to run it again."""


class Verdict(StrEnum):
    """How a run ended, from best to worst; an evaluation has the worst of its runs."""

    PASSED = "passed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    ERROR = "error"
    OUTPUT_LIMIT = "output_limit"
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    WORKER_LOST = "worker_lost"


class Trigger(StrEnum):
    """What asked for an evaluation."""

    PUSH = "push"
    FORM = "form"
    API = "api"
    CLI = "cli"
    REPRODUCE = "reproduce"
    WHATIF = "whatif"


class Purpose(StrEnum):
    """What a run is for that is about another run."""

    REPRODUCE = "reproduce"
    WHATIF = "whatif"


ABOUT_RUNS = frozenset({Trigger.REPRODUCE, Trigger.WHATIF})
"""What asks about another run: its runs are no news of the project."""

REUSABLE = frozenset({Verdict.PASSED, Verdict.FAILED})
"""Verdicts that tell something about the code and data, and so may stand for a later run."""

ENDED = frozenset({Status.FINISHED, Status.DEAD})
"""The states that nothing leaves by itself."""

_SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of *verdicts*; of none at all, ``passed``."""
    return max(verdicts, key=_SEVERITY.__getitem__, default=Verdict.PASSED)


def verdict_of(failure: str) -> Verdict:
    """Return the verdict that a failure of this kind means: its own, or just an error."""
    return Verdict(failure) if failure in set(Verdict) else Verdict.ERROR
