"""How far runs are that have not ended: in their cells, in their time, in the queue."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from provenance.ledger.columns import utc_now
from provenance.ledger.queries.runs import RunRow
from provenance.ledger.states import ENDED, Status, Trigger
from provenance.ledger.tables import Evaluation, Run
from provenance.ledger.times import (
    CaseKey,
    Moment,
    Took,
    expected_left,
    expected_seconds,
    expected_times,
)

LONGEST_QUEUE = 2_000
"""Beyond so many waiting runs nobody is told how long the wait is."""


RunLike = Run | RunRow


@dataclass(frozen=True)
class Progress:
    """How far one run is; seconds are None where nobody knows them."""

    queued: bool
    doing: str | None = None
    cells_done: int = 0
    cells_total: int | None = None
    elapsed: float = 0.0
    """Seconds since a worker began with it."""
    expected: float | None = None
    """Seconds that it takes in all, by what its case took before."""
    left: float | None = None
    """Seconds until its end, from now on; of a queued run, from its start on."""
    at_least: float = 0.0
    """What of ``left`` does not become less before something happens."""
    position: int | None = None
    """Its place in the queue, from 1."""
    wait: float | None = None
    """Seconds until a worker begins with it."""
    tried_again_at: datetime | None = None
    """When it is tried again, where something did not answer."""

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1: by time where that is known, else by cells."""
        if self.queued:
            return 0.0
        if self.left is not None and self.elapsed + self.left > 0:
            return self.elapsed / (self.elapsed + self.left)
        return self.cells_done / self.cells_total if self.cells_total else None


def progress_of(session: Session, runs: Iterable[RunLike]) -> dict[str, Progress]:
    """Return how far those of *runs* are that have not ended, by their ids."""
    now = utc_now()
    unfinished = [run for run in runs if run.status not in ENDED]
    found = _running(session, [run for run in unfinished if not _waits(run)], now)
    waiting = [run for run in unfinished if _waits(run)]
    if waiting:
        found |= _queue(session, waiting, now)
    return found


def queue_position(session: Session, run: RunLike) -> int | None:
    """Return the place of *run* in the queue, from 1; None where it does not stand there."""
    now = utc_now()
    if not _waits(run) or _is_put_off(run, now):
        return None
    due = or_(Run.run_after.is_(None), Run.run_after <= now)
    query = select(func.count()).where(Run.status == Status.QUEUED, Run.id < run.id, due)
    return (session.scalar(query.select_from(Run)) or 0) + 1


def _waits(run: RunLike) -> bool:
    return run.status == Status.QUEUED


def _is_put_off(run: RunLike, now: datetime) -> bool:
    return run.run_after is not None and run.run_after > now


def _running(session: Session, runs: Sequence[RunLike], now: datetime) -> dict[str, Progress]:
    expected = expected_times(session, map(_case, runs)) if runs else {}
    return {run.id: _of_running(run, expected.get(_case(run)), now) for run in runs}


def _of_running(run: RunLike, expected: Took | None, now: datetime) -> Progress:
    elapsed = _since(run.started_at, now)
    moment = Moment(elapsed, run.cells_done, run.cells_total, _since(run.cell_at, now))
    left = expected_left(expected, moment) if expected else None
    return Progress(
        queued=False,
        doing=run.doing,
        cells_done=run.cells_done,
        cells_total=run.cells_total,
        elapsed=elapsed,
        expected=expected.seconds if expected else None,
        left=left.seconds if left else None,
        at_least=left.at_least if left else 0.0,
    )


def _queue(session: Session, runs: Sequence[RunLike], now: datetime) -> dict[str, Progress]:
    """Return how *runs*, which are queued, stand among all that are."""
    due = or_(Run.run_after.is_(None), Run.run_after <= now)
    columns = (Run.id, Run.project_id, Run.report, Run.case_key)
    query = select(*columns).where(Run.status == Status.QUEUED, due).order_by(Run.id)
    queue = {row.id: CaseKey(*row[1:]) for row in session.execute(query.limit(LONGEST_QUEUE))}
    seconds = expected_seconds(session, {*queue.values(), *map(_case, runs)})
    waits = _waits_of(session, queue, seconds, now)
    places = {run_id: place for place, run_id in enumerate(queue, start=1)}
    found = {}
    for run in runs:
        expected = seconds.get(_case(run))
        told = Progress(queued=True, doing=run.doing, expected=expected, left=expected)
        if _is_put_off(run, now):
            found[run.id] = replace(told, tried_again_at=run.run_after)
        else:
            place, wait = places.get(run.id), waits.get(run.id)
            found[run.id] = replace(told, position=place, wait=wait)
    return found


def _waits_of(
    session: Session, queue: Mapping[str, CaseKey], seconds: Mapping[CaseKey, float], now: datetime
) -> dict[str, float]:
    """Return how long each run of *queue* will wait: as long as those before it take.

    As many are carried out side by side as are running now: where runs wait, every worker is
    busy. Where nothing runs, or nobody knows how long anything takes, nothing is returned.
    """
    # Those of somebody's terminal take no worker.
    of_workers = Run.evaluation.has(Evaluation.trigger != Trigger.CLI)
    query = select(Run).where(Run.status == Status.RUNNING, of_workers)
    running = session.scalars(query).all()
    if not running or not seconds:
        return {}
    usual = median(seconds.values())
    free = [_left(told, usual) for told in _running(session, running, now).values()]
    heapq.heapify(free)
    waits = {}
    for run_id, case in queue.items():
        begins = heapq.heappop(free)
        waits[run_id] = begins
        heapq.heappush(free, begins + seconds.get(case, usual))
    return waits


def _left(told: Progress, usual: float) -> float:
    return max(0.0, usual - told.elapsed) if told.left is None else told.left


def _case(run: RunLike) -> CaseKey:
    return CaseKey(run.project_id, run.report, run.case_key)


def _since(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max(0.0, (now - at).total_seconds())
