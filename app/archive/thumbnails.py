"""Small pictures of figures that are none themselves: drawings of ours, all in SVG.

They stand on pages as images, so nothing in them is run; texts in them are escaped.
"""

import unicodedata
from xml.sax.saxutils import escape

from pipeline.table_texts import Rows, TableCell, read_table_texts
from provenance.ledger.queries.figures import FigureRow
from provenance.store import Store
from provenance.text import readable

WIDTH, HEIGHT = 224, 168
_ROWS, _COLUMNS = 9, 4
_LINE, _MARGIN, _SIZE = 17, 8, 11
_PER_CHARACTER = 6.9
_NOTHING = TableCell("")
_SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
    f'width="{WIDTH}" height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="{_SIZE}">'
    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>%s</svg>'
)


def thumbnail(figure: FigureRow, store: Store) -> str:
    """Return the picture of a figure; raise MissingObjectError where what it shows is lost."""
    if figure.kind == "table":
        return table_picture(read_table_texts(store.read(figure.sha256)))
    return word_picture(figure.kind.capitalize())


def table_picture(rows: Rows) -> str:
    """Return the upper left corner of a table."""
    shown = _laid(rows)
    across = max(map(len, shown), default=1) or 1
    width = (WIDTH - 2 * _MARGIN) / across
    parts = [
        _text(cell, _MARGIN + column * width, _MARGIN + (line + 0.75) * _LINE, width)
        for line, row in enumerate(shown)
        for column, cell in enumerate(row)
    ]
    parts += [
        f'<path d="M{_MARGIN} {y:g}H{WIDTH - _MARGIN}" stroke="#ddd"/>'
        for y in (_MARGIN + line * _LINE for line in range(1, len(shown)))
    ]
    return _SVG % "".join(parts)


def word_picture(word: str) -> str:
    """Return a picture that says what a figure is, where it takes a library to draw it."""
    low, right = HEIGHT - 34, WIDTH - 30
    axes = f'<path d="M30 {low}H{right}M30 {low}V34" stroke="#999" fill="none"/>'
    place = f'x="{WIDTH / 2:g}" y="{HEIGHT / 2:g}" text-anchor="middle"'
    return _SVG % f'{axes}<text {place} fill="#555">{escape(word)}</text>'


def _laid(rows: Rows) -> list[list[TableCell]]:
    """Return the corner with each cell at its place: one may stand for several."""
    below: dict[int, int] = {}  # how many rows further a column is taken by a cell above
    laid = []
    for row in rows[:_ROWS]:
        line: list[TableCell] = []
        cells = iter(row)
        while len(line) < _COLUMNS:
            if below.get(len(line), 0) > 0:
                below[len(line)] -= 1
                line.append(_NOTHING)
            elif (cell := next(cells, None)) is None:
                break
            else:
                width = min(cell.columns, _COLUMNS)
                below |= dict.fromkeys(range(len(line), len(line) + width), cell.rows - 1)
                line += [cell, *[_NOTHING] * (width - 1)]
        laid.append(line[:_COLUMNS])
    return laid


def _text(cell: TableCell, x: float, y: float, width: float) -> str:
    most = max(1, int((width - _MARGIN) / _PER_CHARACTER))
    text = _fit_for_xml(cell.text[: most + 1])
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    weight = ' font-weight="600"' if cell.is_head else ""
    return f'<text x="{x:g}" y="{y:g}" fill="#333"{weight}>{escape(text)}</text>'


def _fit_for_xml(text: str) -> str:
    """Leave out what no XML may hold: one such character, and nothing is drawn."""
    return "".join(c for c in readable(text) if unicodedata.category(c) not in ("Cs", "Cc", "Cn"))
