"""Two executed notebooks cell by cell: what became of the source, and of what it shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from app.comparing.notebooks import Cell, Output
from app.comparing.tables import ChangedTable, compare_tables
from provenance.explain.diffs import unified

_SIMILAR = 0.5
"""From here on a cell that stands in another's place is that one, edited."""
_NEAR = 20
"""So many cells further on an edited cell is looked for."""
MOST_CHANGED = 60
"""Cells that are compared in detail: who has more of them compares other things."""
_MOST_LINES = 1_500
_MOST_LOOKS = 1_000
"""So often two cells are held against each other: templates that have more in common need less."""


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
    for was, now in _aligned(before, after):
        if was and now and (was.source, was.outputs) == (now.source, now.outputs):
            same += 1
        elif len(changed) < MOST_CHANGED:
            changed.append(_pair(was, now))
        else:
            left_out += 1
    return ComparedCells(tuple(changed), same, left_out)


def _aligned(old: Sequence[Cell], new: Sequence[Cell]) -> Iterator[tuple[Cell | None, Cell | None]]:
    looks = _MOST_LOOKS
    before, after = ([(cell.kind, cell.source) for cell in side] for side in (old, new))
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(old[a:b], new[c:d], strict=True)
            continue
        taken = c
        for was in old[a:b]:
            near = range(taken, min(d, taken + _NEAR)) if looks > 0 else ()
            like = next((at for at in near if _alike(was, new[at])), None)
            looks -= len(near)
            if like is None:
                yield was, None
                continue
            yield from ((None, now) for now in new[taken:like])
            yield was, new[like]
            taken = like + 1
        yield from ((None, now) for now in new[taken:d])


def _alike(was: Cell, now: Cell) -> bool:
    if was.kind != now.kind:
        return False
    before, after = (cell.source[:4000].splitlines() for cell in (was, now))
    if SequenceMatcher(None, before, after).quick_ratio() >= _SIMILAR:
        return True
    return SequenceMatcher(None, was.source[:500], now.source[:500], False).ratio() >= _SIMILAR


def _pair(was: Cell | None, now: Cell | None) -> CellPair:
    diff = unified("cell", was.source if was else None, now.source if now else None)
    shown = [cell.outputs if cell else () for cell in (was, now)]
    kept = [[one for one in side if one.text or one.table] for side in shown]
    return CellPair(was, now, diff, tuple(_other_outputs(*kept)))


def _other_outputs(old: Sequence[Output], new: Sequence[Output]) -> Iterator[OutputPair]:
    """Pair outputs of one kind in their order, and yield those that differ."""
    for kind in dict.fromkeys(one.kind for one in (*new, *old)):
        sides = [[one for one in side if one.kind == kind] for side in (old, new)]
        for was, now in zip_longest(*sides):
            if was != now:
                yield _output_pair(kind, was, now)


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
