"""What runs would do, told before anybody asks for them."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from app.intake.offer import Offer
from app.settings import PREFIX, Settings, as_environment
from pipeline.asked import DataWanted
from pipeline.processes import end_tree
from provenance.errors import UnavailableError
from provenance.ledger.intake import CaseToRun

if TYPE_CHECKING:
    from pipeline.foresight import Foreseen

MOST_SHOWN = 50
"""Of more runs than these it is only counted what the others would do."""
_SECONDS = 15.0
_PATIENCE_SECONDS = 2.0
"""How long one waits for others' previews: whoever waits holds a thread of the server."""
_log = structlog.get_logger()
_places = threading.BoundedSemaphore(2)


class NoPreviewError(UnavailableError):
    """Raised when it cannot be told beforehand what runs would do."""

    code = "no_preview"


@dataclass(frozen=True)
class Plan:
    """One run, and what would happen with its jobs."""

    case: CaseToRun
    steps: "tuple[Foreseen, ...]"

    @property
    def whole(self) -> bool:
        """Whether nothing at all would be executed."""
        return all(step.status == "reused" for step in self.steps)


@dataclass(frozen=True)
class Preview:
    """What would happen with the runs of a form."""

    cases: tuple[CaseToRun, ...]
    plans: tuple[Plan, ...]
    """Those of the runs that were looked at in the time there was, from the first."""
    force: bool
    """Whether all is executed afresh, so that there is nothing to foresee."""
    error: UnavailableError | None = None
    """Why it cannot be told."""

    @property
    def shown(self) -> "tuple[Plan, ...]":
        """The plans that are shown one by one."""
        return self.plans[:MOST_SHOWN]

    @property
    def sentence(self) -> str:
        """Whether there is anything to execute, in words."""
        looked_at, whole = len(self.plans), sum(plan.whole for plan in self.plans)
        if self.force:
            return "All is executed afresh, as asked for."
        if self.error:
            return "What would be reused cannot be told."
        if len(self.cases) == 1:
            return "Nothing has to be executed: its page is there already." if whole else ""
        those = "them" if looked_at == len(self.cases) else f"the first {looked_at}"
        rest = looked_at - whole
        return f"Of {those}, {whole} would be reused whole, and {rest} would execute something."


def preview(
    settings: Settings, offer: Offer, cases: Sequence[CaseToRun], data: DataWanted, force: bool
) -> Preview:
    """Return what would happen with runs of *cases*, as far as it can be told in some seconds."""
    if force:
        return Preview(tuple(cases), (), force=True)
    job = {
        "project": offer.project.name,
        "commit": offer.commit.sha,
        "cases": [case._asdict() for case in cases],
        "data": data.as_json(),
    }
    try:
        told = _answer(settings, job)
    except NoPreviewError as error:
        return Preview(tuple(cases), (), force=False, error=error)
    from pipeline.foresight import Foreseen  # stands on much that no other page needs

    plans = tuple(
        Plan(case, tuple(Foreseen(**step) for step in steps))
        for case, steps in zip(cases, told, strict=False)
    )
    return Preview(tuple(cases), plans, force=False)


def _answer(settings: Settings, job: dict[str, Any]) -> list[list[dict[str, Any]]]:
    if not _places.acquire(timeout=_PATIENCE_SECONDS):
        raise NoPreviewError("Others are looking what would run.", "Try again in some seconds.")
    try:
        told = _in_process(settings, json.dumps(job).encode())
    finally:
        _places.release()
    if "plans" not in told:
        raise NoPreviewError(told["message"], told["hint"])
    plans: list[list[dict[str, Any]]] = told["plans"]
    return plans


def _in_process(settings: Settings, job: bytes) -> dict[str, Any]:
    """Return the answer of a process of its own, which is ended if it takes too long."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "app.intake.foreseeing"],
        env=kept | as_environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        answer, said = process.communicate(job, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise NoPreviewError(
            f"To look what would run took longer than {_SECONDS:.0f} s.",
            "The run itself is not affected.",
        ) from None
    finally:
        end_tree(process.pid)
        process.wait()
    if process.returncode != 0:
        _log.error("what would run could not be told", said=said.decode(errors="replace")[-4000:])
        raise NoPreviewError(
            "What would run cannot be told: looking for it failed.", "The server's log says why."
        )
    told: dict[str, Any] = json.loads(answer)
    return told
