"""Tables of HTML, as data frames show them, and what became of their cells."""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import chain

from pipeline.table_texts import table_rows

MOST_ROWS, MOST_COLUMNS, LONGEST = 400, 60, 1_000_000


@dataclass(frozen=True)
class Table:
    """A table as texts; the first cells of a row tell which it is."""

    head: tuple[str, ...]
    """The names of the columns; empty where the table has none."""
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Change:
    """A cell of a table: equal texts where it is the same."""

    before: str | None
    after: str | None

    @property
    def same(self) -> bool:
        """Whether nothing became of it."""
        return self.before == self.after


@dataclass(frozen=True)
class ChangedTable:
    """Two tables as one."""

    head: tuple[Change, ...]
    rows: tuple[tuple[Change, ...], ...]
    """Only those in which something changed."""
    same_rows: int


def read_table(html: str) -> Table | None:
    """Return the first table of *html*; None where there is none, or it is too large."""
    if len(html) > LONGEST:
        return None
    rows = table_rows(html, first=True)
    if not rows or len(rows) > MOST_ROWS or max(map(len, rows)) > MOST_COLUMNS:
        return None
    texts = [tuple(cell.text for cell in row) for row in rows]
    has_head = bool(rows[0]) and all(cell.is_head for cell in rows[0])
    return Table(texts[0], tuple(texts[1:])) if has_head else Table((), tuple(texts))


def compare_tables(before: Table, after: Table) -> ChangedTable:
    """Return two tables as one: columns are paired by their names, rows by what they begin with."""
    columns = _paired(before.head, after.head)
    head = tuple(Change(_at(before.head, a), _at(after.head, b)) for a, b in columns)
    if not columns:
        width = max(map(len, (*before.rows, *after.rows)), default=0)
        columns = [(place, place) for place in range(width)]
    names = [[row[:1] for row in table.rows] for table in (before, after)]
    rows = [
        tuple(Change(_cell(before.rows, was, a), _cell(after.rows, now, b)) for a, b in columns)
        for was, now in _paired(*names)
    ]
    changed = tuple(row for row in rows if not all(cell.same for cell in row))
    return ChangedTable(head, changed, len(rows) - len(changed))


def _paired(
    before: Sequence[Hashable], after: Sequence[Hashable]
) -> list[tuple[int | None, int | None]]:
    """Pair equal items, the first of each with the first, wherever they stand; in the order of
    *after*, and those that are gone behind what they stood behind."""
    waiting: dict[Hashable, deque[int]] = {}
    for place, item in enumerate(before):
        waiting.setdefault(item, deque()).append(place)
    found: list[tuple[int | None, int | None]] = []
    became: dict[int, int] = {}
    for place, item in enumerate(after):
        was = waiting[item].popleft() if waiting.get(item) else None
        found.append((was, place))
        if was is not None:
            became[was] = place
    gone: dict[int, list[tuple[int | None, int | None]]] = {}
    behind = -1
    for place in range(len(before)):
        if place in became:
            behind = became[place]
        else:
            gone.setdefault(behind, []).append((place, None))
    behind_each = (gone.get(place, []) for place in range(len(after)))
    kept = ((pair, *left) for pair, left in zip(found, behind_each, strict=True))
    return [*gone.get(-1, []), *chain.from_iterable(kept)]


def _cell(rows: Sequence[Sequence[str]], row: int | None, column: int | None) -> str | None:
    return None if row is None else _at(rows[row], column)


def _at(items: Sequence[str], place: int | None) -> str | None:
    return items[place] if place is not None and place < len(items) else None
