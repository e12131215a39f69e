"""Compared cells as plain JSON values."""

import hashlib
from typing import Any

from app.comparing.cells import CellPair, ComparedCells, OutputPair
from app.comparing.tables import Change, ChangedTable

Json = dict[str, Any]


def told_cells(compared: ComparedCells) -> Json:
    """Return what became of the cells of a template; of images only their digests."""
    return {
        "same": compared.same,
        "left_out": compared.left_out,
        "missing": compared.missing,
        "changed": [_cell(pair) for pair in compared.changed],
    }


def _cell(pair: CellPair) -> Json:
    return {
        "number": pair.number,
        "before": pair.before.number if pair.before else None,
        "after": pair.after.number if pair.after else None,
        "diff": pair.diff,
        "outputs": [_output(output) for output in pair.outputs],
        "more": pair.more,
    }


def _output(pair: OutputPair) -> Json:
    told: Json = {"kind": pair.kind, "name": pair.name, "diff": pair.diff, "table": None}
    if pair.table is not None:
        return told | {"table": _table(pair.table)}
    if pair.kind == "image":
        return told | {"before": _digest(pair.before), "after": _digest(pair.after)}
    return told


def _table(table: ChangedTable) -> Json:
    """Return only what changed: rows by what they begin with, cells by their columns."""
    names = [_word(change) for change in table.head]
    return {"rows": [_row(row, names) for row in table.rows], "same_rows": table.same_rows}


def _row(row: tuple[Change, ...], names: list[str]) -> Json:
    changed = [
        {
            "column": names[place] if place < len(names) else str(place + 1),
            "before": change.before,
            "after": change.after,
        }
        for place, change in enumerate(row)
        if not change.same
    ]
    return {"row": _word(row[0]) if row else "", "changed": changed}


def _word(change: Change) -> str:
    return change.after or change.before or ""


def _digest(address: str | None) -> str | None:
    return hashlib.sha256(address.encode()).hexdigest() if address is not None else None
