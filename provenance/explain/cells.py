"""The cells of a template, as the page of a run was made from them.

An executed notebook is kept as JSON; only its cells are looked at, and none of it is trusted.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from provenance.explain.alignment import aligned
from provenance.explain.diffs import Text, changed_lines, unified
from provenance.explain.model import Cause, Kind
from provenance.explain.pair import Pair
from provenance.explain.shown import shown_by, source_of, tags_of, template_cells
from provenance.record import Record

_FOUND = "parameters"
_NOTHING = "[]"
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,16}\b")


@dataclass(frozen=True)
class Cell:
    """A code cell: what its author wrote, what that means, and what it showed."""

    number: int
    """Its place among all cells of the template, from 1."""
    source: str
    tags: tuple[str, ...]
    meaning: str
    """The digest that the record has of it; without one, the source itself."""
    shown: str
    """Its outputs as text, without what only tells when and where it was executed."""


def cells_of(record: Record | None, text: Text) -> tuple[Cell, ...] | None:
    """Return the code cells that *record* was made from; None where its notebook is gone."""
    output = record.output("notebook") if record else None
    digest = output.sha256 if output else record.extra.get("notebook") if record else None
    kept = text(str(digest)) if digest else None
    if record is None or kept is None:
        return None
    try:
        notebook = json.loads(kept)
    except (ValueError, RecursionError):
        return None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        return None
    cells = [
        _cell(number, cell)
        for number, cell in template_cells(notebook)
        if cell.get("cell_type") == "code"
    ]
    meanings = list(record.code.get("cells") or ())
    if len(meanings) != len(cells):
        return tuple(cells)
    return tuple(
        replace(cell, meaning=meaning) for cell, meaning in zip(cells, meanings, strict=True)
    )


def template_causes(pair: Pair, text: Text) -> Iterator[Cause]:
    """Tell which cells of a template, or of a notebook that is a stage, differ, each by itself."""
    before, after = (list(record.code.get("cells") or ()) for record in (pair.a, pair.b))
    if before == after:
        return
    path = str(pair.b.code.get("template") or pair.a.code.get("template") or "template")
    old, new = cells_of(pair.a, text), cells_of(pair.b, text)
    if old is None or new is None:
        told = _by_hash(path, before, after)
    else:
        told = (_cause(path, was, now) for was, now in _pairs(old, new))
    yield from (replace(cause, where=(pair.name,)) for cause in told)


def first_other_cell(a: Record, b: Record, text: Text) -> int | None:
    """Return the number of the first cell that showed something else; None if none did."""
    old, new = cells_of(a, text), cells_of(b, text)
    if old is None or new is None:
        return None
    for was, now in zip_longest(old, new):
        if was is None or now is None or was.shown != now.shown:
            return int((now or was).number)
    return None


def same_page(a: Record, b: Record, text: Text) -> bool:
    """Tell whether two executions of a report gave the same, whenever they took place."""
    files = [
        {output.name: output.sha256 for output in record.outputs if output.name.startswith("file:")}
        for record in (a, b)
    ]
    told = [[record.extra.get(name) for name in ("metrics", "checks")] for record in (a, b)]
    if files[0] != files[1] or told[0] != told[1]:
        return False
    old, new = cells_of(a, text), cells_of(b, text)
    if old is None or new is None:
        return a.key == b.key
    shown = [[cell.shown for cell in cells if cell.shown != _NOTHING] for cells in (old, new)]
    return shown[0] == shown[1]


def only_words(pair: Pair) -> bool:
    """Tell whether a template differs in its text, comments or look, but not in its code."""
    words = [record.code.get("prose") for record in (pair.a, pair.b)]
    code = [record.code.get("cells") for record in (pair.a, pair.b)]
    return words[0] != words[1] and code[0] == code[1]


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    text = source_of(cell)
    outputs = [asdict(shown) for shown in shown_by(cell.get("outputs"))]
    shown = _ADDRESS.sub("at 0x", json.dumps(outputs))
    # Papermill finds the parameters by this tag, which is added where it was not written.
    tags = tuple(tag for tag in tags_of(cell) if tag != _FOUND)
    return Cell(number, text, tags, text, shown)


def _pairs(old: Sequence[Cell], new: Sequence[Cell]) -> Iterator[tuple[Cell | None, Cell | None]]:
    """Yield the cells that mean something else; one with nothing like it stands alone."""
    meanings = [cell.meaning for cell in old], [cell.meaning for cell in new]
    for was, now in aligned(old, new, meanings):
        if was is None or now is None or was.meaning != now.meaning:
            yield was, now


def _cause(path: str, was: Cell | None, now: Cell | None) -> Cause:
    cell = now or was
    assert cell is not None  # noqa: S101 - of a pair one is there
    old, new = was.source if was else None, now.source if now else None
    diff = unified(f"{path}, cell {cell.number}", old, new)
    if was is None or now is None:
        word = "was added" if was is None else "was removed"
        return _told(path, cell.number, f"Cell {cell.number} {word}{changed_lines(diff)}.", diff)
    if was.tags != now.tags:
        tags = [", ".join(found.tags) or "none" for found in (was, now)]
        told = f"The tags of cell {cell.number} changed: {tags[0]} → {tags[1]}."
        return _told(path, cell.number, told, diff)
    moved = f", which was cell {was.number}," if was.number != now.number else ""
    return _told(
        path, cell.number, f"Cell {cell.number}{moved} changed{changed_lines(diff)}.", diff
    )


def _told(path: str, number: int, sentence: str, diff: str | None) -> Cause:
    return Cause(Kind.TEMPLATE, f"{path}, cell {number}", sentence, diff)


def _by_hash(path: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Cause]:
    """Tell which code cells differ by their hashes alone: a notebook is no longer kept."""
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            continue
        for was, now in zip_longest(range(a, b), range(c, d)):
            place = (now if now is not None else was) or 0
            word = "was added" if was is None else "was removed" if now is None else "changed"
            sentence = f"Code cell {place + 1} {word}; its text is not kept."
            yield Cause(Kind.TEMPLATE, f"{path}, code cell {place + 1}", sentence)
