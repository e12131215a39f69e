"""Tables of HTML as the texts of their cells: what two tables are compared by, and shown from.

How a table looks is left out: styles of data frames have names that are others at each execution.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.markup import Piece, pieces

MEDIA_TYPE = "application/json"
_SPAN = re.compile(r"\b(col|row)span\s*+=\s*+(?:[\"']\s*+)?(\d{1,4})\b", re.IGNORECASE)
_WIDEST = 1_000


@dataclass(frozen=True)
class TableCell:
    """One cell; it may stand for several columns or rows."""

    text: str
    is_head: bool = False
    columns: int = 1
    rows: int = 1


Rows = Sequence[Sequence[TableCell]]


def table_texts(html: str) -> bytes | None:
    """Return the cells of all tables in *html* as JSON, always the same for the same cells.

    It is ``{"rows": [[cell…]…]}``: a cell is its text, or where it is more than that an object
    with ``text`` and any of ``head``, ``columns``, ``rows``. A table within a cell is text of that
    cell. None where there is no cell.
    """
    rows = table_rows(html)
    if not any(rows):
        return None
    told = {"rows": [[_told(cell) for cell in row] for row in rows if row]}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def read_table_texts(data: bytes) -> Rows:
    """Return the rows that `table_texts` has written."""
    return [[_read(cell) for cell in row] for row in json.loads(data)["rows"]]


@dataclass
class _Open:
    """A cell that has begun."""

    tag: Piece
    texts: list[str]

    @property
    def cell(self) -> TableCell:
        spans = {way.lower(): int(size) for way, size in _SPAN.findall(self.tag.attributes)}
        columns, rows = (min(max(spans.get(way, 1), 1), _WIDEST) for way in ("col", "row"))
        text = " ".join("".join(self.texts).split())
        return TableCell(text, self.tag.tag == "th", columns, rows)


def table_rows(html: str, *, first: bool = False) -> list[list[TableCell]]:
    """Return the rows of all tables in *html*, or of the *first* alone."""
    rows: list[list[_Open]] = []
    depth, is_cell = 0, False
    for piece in pieces(html):
        match piece.tag, piece.is_end:
            case "table", is_end:
                depth = max(0, depth + (-1 if is_end else 1))
                is_cell = is_cell and depth > 0
                if first and rows and not depth:
                    break
            case "tr", False if depth == 1:
                rows.append([])
                is_cell = False
            case (("td" | "th"), False) if depth == 1 and rows:
                rows[-1].append(_Open(piece, []))
                is_cell = True
            case (("td" | "th" | "tr"), True) if depth == 1:
                is_cell = False
            case "", _ if is_cell:
                rows[-1][-1].texts.append(piece.text)
            case _ if is_cell:
                rows[-1][-1].texts.append(" ")
    return [[one.cell for one in row] for row in rows]


def _told(cell: TableCell) -> Any:
    told: dict[str, Any] = {"text": cell.text}
    told |= {"head": True} if cell.is_head else {}
    told |= {"columns": cell.columns} if cell.columns > 1 else {}
    told |= {"rows": cell.rows} if cell.rows > 1 else {}
    return cell.text if len(told) == 1 else told


def _read(told: Any) -> TableCell:
    if isinstance(told, str):
        return TableCell(told)
    return TableCell(
        told["text"], bool(told.get("head")), told.get("columns", 1), told.get("rows", 1)
    )
