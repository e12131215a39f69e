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
    def same(self) -> bool:
        """Whether nothing became of it."""
        return self.diff is None and not self.outputs

    @property
    def number(self) -> int:
        """Its place in the newer template, or in the older where it is gone."""
        cell = self.after or self.before
        assert cell is not None  # noqa: S101 - of a pair one is there
        return cell.number


def compare_cells(before: Sequence[Cell], after: Sequence[Cell]) -> tuple[CellPair, ...]:
    """Return the cells of two templates in pairs, in the order of the newer one."""
    return tuple(_pair(was, now) for was, now in _aligned(before, after))


def _aligned(old: Sequence[Cell], new: Sequence[Cell]) -> Iterator[tuple[Cell | None, Cell | None]]:
    before, after = ([(cell.kind, cell.source) for cell in side] for side in (old, new))
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(old[a:b], new[c:d], strict=True)
            continue
        taken = c
        for was in old[a:b]:
            near = range(taken, min(d, taken + _NEAR))
            like = next((at for at in near if _alike(was, new[at])), None)
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
    diff = unified(kind, before, after)
    return OutputPair("text" if diff else "other", kind, before, after, diff)
