"""Tables of HTML, as data frames show them, and what became of their cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from html.parser import HTMLParser

MOST_ROWS, MOST_COLUMNS = 400, 60
_UNSEEN = ("script", "style")


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
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if not reader.rows or reader.is_large:
        return None
    head = reader.rows[0] if reader.heads and reader.heads[0] else ()
    rows = reader.rows[1:] if head else reader.rows
    return Table(tuple(head), tuple(tuple(row) for row in rows))


def compare_tables(before: Table, after: Table) -> ChangedTable:
    """Return two tables as one: columns are paired by their names, rows by what they begin with."""
    columns = list(_paired(before.head, after.head))
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
    before: Sequence[object], after: Sequence[object]
) -> Iterator[tuple[int | None, int | None]]:
    """Pair equal items in their order; of those between, the ones that stand in the same place."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(range(a, b), range(c, d), strict=True)
            continue
        yield from ((place, None) for place in range(a, b))
        yield from ((None, place) for place in range(c, d))


def _cell(rows: Sequence[Sequence[str]], row: int | None, column: int | None) -> str | None:
    return None if row is None else _at(rows[row], column)


def _at(items: Sequence[str], place: int | None) -> str | None:
    return items[place] if place is not None and place < len(items) else None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.heads: list[bool] = []
        """Of each row, whether all of its cells are heads."""
        self.is_large = False
        self._cell: list[str] | None = None
        self._depth = self._unseen = 0
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        self._depth += tag == "table"
        if self._over or self._depth != 1:
            return
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
            self.heads.append(True)
            self.is_large |= len(self.rows) > MOST_ROWS
        elif tag in ("td", "th") and self.rows:
            self._end_cell()
            self._cell = []
            self.heads[-1] &= tag == "th"

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag == "table":
            self._over |= self._depth == 1
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._unseen:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None or not self.rows:
            return
        self.rows[-1].append(" ".join("".join(self._cell).split()))
        self.is_large |= len(self.rows[-1]) > MOST_COLUMNS
        self._cell = None
