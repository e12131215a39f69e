"""The bin: runs that were deleted, whole, until they come back or their time is over.

A run's rows leave their tables, so that no list has to leave anything out, and wait as JSON. The
objects that it needs are held on to meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from provenance.errors import ConflictingError, InvalidInputError, NotFoundError
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Batch, Pin, PointerEvent
from provenance.ledger.finding import no_run
from provenance.ledger.frozen_rows import Rows, frozen, named_runs, remove, thawed
from provenance.ledger.ids import new_id
from provenance.ledger.intake import note_heads
from provenance.ledger.keeping_tables import BIN_DAYS, BinHold, BinnedRun
from provenance.ledger.page_heads import note_page_heads, page_heads_back
from provenance.ledger.states import ENDED
from provenance.ledger.tables import CaseHead, Run
from provenance.ledger.words import forget_pages
from provenance.nearest import shown

MOST_AT_ONCE = 200
_LISTED = 500


class UnknownDeletionError(NotFoundError):
    """Raised when the bin has nothing of a deletion, or nothing any more."""

    code = "unknown_deletion"


class WhichRunsError(InvalidInputError):
    """Raised when no run is named that is to be deleted, or too many are."""

    code = "which_runs"


class CannotDeleteError(ConflictingError):
    """Raised when a run cannot be deleted as things are."""

    code = "cannot_delete"


class CannotRestoreError(ConflictingError):
    """Raised when a run cannot be brought back as things are."""

    code = "cannot_restore"


@dataclass(frozen=True)
class Deletion:
    """Runs that were deleted at once."""

    id: str
    actor: str
    at: datetime
    runs: tuple[BinnedRun, ...]

    @property
    def until(self) -> datetime:
        """When it cannot be undone any more."""
        return self.at + timedelta(days=BIN_DAYS)


def delete_runs(session: Session, run_ids: Iterable[str], actor: str) -> str:
    """Put runs into the bin, with the runs about them, and return the id of the deletion.

    All of them or none: raises WhichRunsError, UnknownRunError, and CannotDeleteError where one
    has not ended, is pinned, or has made data that others stand on.
    """
    runs = _to_delete(session, run_ids)
    deletion, at, ids = new_id("deletion"), utc_now(), [run.id for run in runs]
    rows = frozen(session, ids)
    told = (
        *("id", "evaluation_id", "project_id", "report", "case", "verdict", "commit_sha"),
        *("record", "html"),
    )
    for run in runs:
        facts = {name: getattr(run, name) for name in told}
        session.add(BinnedRun(deletion=deletion, actor=actor, at=at, rows=rows[run.id], **facts))
    session.flush()
    for run_id in ids:
        holds = [{"run_id": run_id, "digest": digest} for digest in _needed(rows[run_id])]
        if holds:
            session.execute(insert(BinHold), holds)
    remove(session, ids)
    _head_back(session, runs)
    page_heads_back(session, [run.html for run in runs if run.html], ids)
    return deletion


def _to_delete(session: Session, run_ids: Iterable[str]) -> list[Run]:
    wanted = [*dict.fromkeys(run_ids)]
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise WhichRunsError(
            f"{len(wanted)} runs are named to be deleted, expected 1 to {MOST_AT_ONCE}.",
            "Pick them in a list, or name them by their ids.",
        )
    runs = _with_those_about_them(session, wanted)
    if missing := [one for one in wanted if one not in {run.id for run in runs}]:
        raise no_run(session, missing[0])
    for run in runs:
        if run.status not in ENDED:
            raise CannotDeleteError(
                f"Run {run.id} has not ended: nothing was deleted.", "Cancel it first."
            )
    _refuse_held(session, [run.id for run in runs])
    return runs


def _with_those_about_them(session: Session, wanted: Sequence[str]) -> list[Run]:
    """Return runs, the runs about them, and so on: a "what if" may have been reproduced."""
    found: dict[str, Run] = {}
    which = Run.id.in_(wanted)
    while True:
        query = select(Run).where(which).order_by(Run.id).with_for_update(of=Run)
        more = {run.id: run for run in session.scalars(query) if run.id not in found}
        if not more:
            return [found[run_id] for run_id in sorted(found)]
        found |= more
        which = Run.again_of.in_(more)


def _refuse_held(session: Session, ids: list[str]) -> None:
    pinned = select(Pin.target, Pin.holder).where(Pin.target.in_(ids), Pin.holds())
    if found := session.execute(pinned).first():
        raise CannotDeleteError(
            f"Run {found.target} is pinned by {found.holder}: nothing was deleted.",
            "Take the pin away first.",
        )
    for table, what in ((Batch, "made a batch of data"), (PointerEvent, "made data current")):
        if made := session.scalar(select(table.run_id).where(table.run_id.in_(ids)).limit(1)):
            raise CannotDeleteError(
                f"Run {made} {what}, whose provenance it is: nothing was deleted.",
                "How long its page is kept can be limited on the storage page.",
            )


def _needed(rows: Rows) -> list[str]:
    """Return the digests that a run's rows name, but for its record and page."""
    (run,) = rows["run"]
    named = [run["notebook"], run["log"]]
    named += [row["sha256"] for row in rows.get("run_input", ())]
    named += [row["record"] for row in rows.get("run_job", ())]
    return sorted({str(digest) for digest in named if digest})


def _head_back(session: Session, runs: Sequence[Run]) -> None:
    """Let the newest run that is left of each case be its head."""
    gone = [run.id for run in runs]
    for project_id, report, key in sorted({(r.project_id, r.report, r.case_key) for r in runs}):
        report_head = (CaseHead.project_id == project_id, CaseHead.report == report)
        case = (*report_head, CaseHead.case_key == key)
        # Whoever deletes another run of it at the same moment waits, and then looks again.
        session.execute(select(CaseHead.run_id).where(*case).with_for_update())
        newest = select(func.max(Run.id)).where(
            Run.project_id == project_id,
            Run.report == report,
            Run.case_key == key,
            Run.purpose.is_(None),
        )
        left = session.scalar(newest)
        # Only where it is one of those that went: a newer one may have come meanwhile.
        head = (*case, CaseHead.run_id.in_(gone))
        if left is None:
            session.execute(delete(CaseHead).where(*head))
        else:
            session.execute(update(CaseHead).where(*head).values(run_id=left))


def restore(session: Session, deletion: str) -> list[str]:
    """Bring back what was deleted at once, and return the ids.

    Raises UnknownDeletionError, and CannotRestoreError where it is about what was deleted too.
    """
    query = select(BinnedRun).where(BinnedRun.deletion == deletion).order_by(BinnedRun.id)
    found = [*session.scalars(query.with_for_update())]
    if not found:
        raise UnknownDeletionError(
            f"The bin has nothing of {shown(deletion)}.",
            f"It was undone already, or more than {BIN_DAYS} days ago.",
        )
    ids = [one.id for one in found]
    _refuse_without(session, ids, set().union(*(named_runs(one.rows) for one in found)))
    thawed(session, [one.rows for one in found])
    back = session.scalars(select(Run).where(Run.id.in_(ids)).order_by(Run.id)).all()
    note_heads(session, back)
    note_page_heads(session, {run.html: run.id for run in back if run.html and not run.purpose})
    _empty(session, ids)
    return ids


def _refuse_without(session: Session, ids: Sequence[str], named: set[str]) -> None:
    """Refuse to bring back what is about a run that is not there."""
    missing = named - set(ids) - set(session.scalars(select(Run.id).where(Run.id.in_(named))))
    for run_id in sorted(missing):
        other = session.get(BinnedRun, run_id)
        raise CannotRestoreError(
            f"It is about run {run_id}, which was deleted as well: nothing was brought back.",
            f"Bring that back first: `provenote restore {other.deletion}`."
            if other
            else "That one is gone for good.",
        )


def _empty(session: Session, ids: Sequence[str]) -> None:
    session.execute(delete(BinHold).where(BinHold.run_id.in_(ids)))
    session.execute(delete(BinnedRun).where(BinnedRun.id.in_(ids)))


def purge(session: Session, most: int) -> int:
    """Let go of what has lain in the bin for its time; return how many runs that were."""
    before = utc_now() - timedelta(days=BIN_DAYS)
    query = select(BinnedRun.id, BinnedRun.html).where(BinnedRun.at < before)
    rows = session.execute(query.order_by(BinnedRun.at).limit(most)).all()
    _empty(session, [row.id for row in rows])
    forget_pages(session, [row.html for row in rows if row.html])
    return len(rows)


def deletions(session: Session) -> list[Deletion]:
    """Return what lies in the bin, what was deleted last first."""
    query = select(BinnedRun).order_by(BinnedRun.deletion.desc(), BinnedRun.id.desc())
    rows = session.scalars(query.limit(_LISTED)).all()
    return [
        Deletion(deletion, runs[0].actor, runs[0].at, runs)
        for deletion, group in groupby(rows, key=lambda row: row.deletion)
        if (runs := tuple(group))
    ]


def deletion_of(session: Session, deletion: str) -> Deletion | None:
    """Return what was deleted at once; None where the bin has nothing of it."""
    query = select(BinnedRun).where(BinnedRun.deletion == deletion).order_by(BinnedRun.id)
    runs = tuple(session.scalars(query))
    return Deletion(deletion, runs[0].actor, runs[0].at, runs) if runs else None


def has_lost_runs(session: Session, evaluation_id: str) -> bool:
    """Tell whether runs of an evaluation lie in the bin."""
    of_it = select(BinnedRun.id).where(BinnedRun.evaluation_id == evaluation_id).limit(1)
    return session.scalar(of_it) is not None
