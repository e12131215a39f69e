"""The cells of two runs, side by side."""

from os import SEEK_END

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.comparing.cells import ComparedCells, compare_cells
from app.comparing.notebooks import LARGEST_NOTEBOOK, Cell, cells_of
from provenance.ledger.tables import Run
from provenance.store import CorruptObjectError, MissingObjectError, Store


def cells_of_runs(session: Session, store: Store, a: str, b: str) -> ComparedCells:
    """Return the cells of runs *a* and *b* that are not the same."""
    kept = dict(session.execute(select(Run.id, Run.notebook).where(Run.id.in_([a, b]))).all())
    sides = [_cells(store, kept[run_id]) for run_id in (a, b)]
    for side, word in zip(sides, ("before", "after"), strict=True):
        if side is None:
            return ComparedCells(missing=f"The notebook of the run {word} is not there.")
    return compare_cells(*(side or () for side in sides))


def _cells(store: Store, digest: str | None) -> tuple[Cell, ...] | None:
    """Return the cells of a notebook; None where it is gone, or too large to be looked into."""
    if digest is None:
        return None
    try:
        with store.open(digest) as handle:
            if handle.seek(0, SEEK_END) > LARGEST_NOTEBOOK:
                return None
        return cells_of(store.read(digest))
    except (OSError, MissingObjectError, CorruptObjectError):
        return None
