"""Two executed notebooks cell by cell: what became of the source, and of what it shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from app.comparing.notebooks import Cell, Output
from app.comparing.tables import ChangedTable, compare_tables
from provenance.explain.alignment import aligned
from provenance.explain.diffs import unified

MOST_CHANGED = 60
"""Cells that are compared in detail: who has more of them compares other things."""
MOST_OUTPUTS = 100
"""Outputs that are compared in detail, of all cells together."""
_MOST_LINES = 1_500


@dataclass(frozen=True)
class OutputPair:
    """What became of one thing that a cell shows."""

    kind: str
    """``text``, ``table``, ``image``, or ``other`` where only that it differs can be said."""
    name: str
    """What is compared: ``stdout``, ``image`` and so on."""
    before: str | None
    """Of an image, its address; None where it was not shown."""
    after: str | None
    diff: str | None = None
    table: ChangedTable | None = None


@dataclass(frozen=True)
class CellPair:
    """A cell before and after; one of them is None where the other has come or gone."""

    before: Cell | None
    after: Cell | None
    diff: str | None
    """How its source changed."""
    outputs: tuple[OutputPair, ...]
    """What it shows otherwise than before."""
    more: int = 0
    """Outputs that differ as well, beyond the most that are compared in detail."""

    @property
    def number(self) -> int:
        """Its place in the newer template, or in the older where it is gone."""
        cell = self.after or self.before
        assert cell is not None  # noqa: S101 - of a pair one is there
        return cell.number


@dataclass(frozen=True)
class ComparedCells:
    """What became of the cells of a template from one run to another."""

    changed: tuple[CellPair, ...] = ()
    same: int = 0
    left_out: int = 0
    """Cells that differ as well, beyond the most that are compared in detail."""
    missing: str = ""
    """Why there is nothing to compare; empty where there is."""


def compare_cells(before: Sequence[Cell], after: Sequence[Cell]) -> ComparedCells:
    """Compare two templates cell by cell, in the order of the newer one."""
    changed: list[CellPair] = []
    same = left_out = 0
    room = MOST_OUTPUTS
    for was, now in aligned(before, after, (_meanings(before), _meanings(after))):
        if was and now and (was.source, was.outputs) == (now.source, now.outputs):
            same += 1
        elif len(changed) < MOST_CHANGED:
            changed.append(_pair(was, now, room))
            room -= len(changed[-1].outputs)
        else:
            left_out += 1
    return ComparedCells(tuple(changed), same, left_out)


def _meanings(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    return [(cell.kind, cell.source) for cell in cells]


def _pair(was: Cell | None, now: Cell | None, room: int) -> CellPair:
    sources = (_beginning(cell.source) if cell else None for cell in (was, now))
    old, new = (
        [one for one in cell.outputs if one.text or one.table] if cell else []
        for cell in (was, now)
    )
    others = list(_others(old, new))
    compared = tuple(_output_pair(*other) for other in others[:room])
    return CellPair(was, now, unified("cell", *sources), compared, len(others) - len(compared))


def _others(
    old: Sequence[Output], new: Sequence[Output]
) -> Iterator[tuple[str, Output | None, Output | None]]:
    """Pair outputs of one kind in their order, and yield those that differ."""
    for kind in dict.fromkeys(one.kind for one in (*new, *old)):
        sides = ([one for one in side if one.kind == kind] for side in (old, new))
        for was, now in zip_longest(*sides):
            if was != now:
                yield kind, was, now


def _output_pair(kind: str, was: Output | None, now: Output | None) -> OutputPair:
    before, after = was.text if was else None, now.text if now else None
    if kind in ("image", "other"):
        return OutputPair(kind, kind, before, after)
    if was and now and was.table and now.table:
        table = compare_tables(was.table, now.table)
        return OutputPair("table", "table", before, after, table=table)
    diff = unified(kind, _beginning(before), _beginning(after))
    return OutputPair("text" if diff else "other", kind, before, after, diff)


def _beginning(text: str | None) -> str | None:
    """Return as much of a text as is compared line by line: that takes its square in time."""
    return None if text is None else "\n".join(text.splitlines()[:_MOST_LINES])
