"""Pieces of HTML that users' code wrote, made fit to stand inside a page of ours."""

import re
from html.parser import HTMLParser

_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ],
)
_END_OPTIONAL = frozenset(
    [
        "caption",
        "colgroup",
        "dd",
        "dt",
        "li",
        "optgroup",
        "option",
        "p",
        "rp",
        "rt",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
    ],
)
_RAW_TEXT = frozenset({"script", "style"})
_FOREIGN = frozenset({"svg", "math"})
_PIECE = 32_768
_DROPPED = frozenset({"plaintext"})


class _Balancer(HTMLParser):
    """Copies a fragment, dropping stray end tags and closing what stays open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.open: list[str] = []
        self.broken = False

    def read(self, fragment: str) -> None:
        """Copy all of *fragment*, and close what it left open.

        It is fed in pieces, and never closed: in what is no whole tag at the end, the parser
        would begin anew at each character, which takes time by the square.
        """
        for begin in range(0, len(fragment), _PIECE):
            self.feed(fragment[begin : begin + _PIECE])
        if self.rawdata:
            self.handle_data(self.rawdata)
        self.broken = self.broken or any(tag not in _END_OPTIONAL for tag in self.open)
        self._close_down_to(0)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _DROPPED:
            self.broken = True
            return
        self.out.append(self.get_starttag_text() or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID or tag in _FOREIGN or not _FOREIGN.isdisjoint(self.open):
            self.out.append(self.get_starttag_text() or "")
            return
        # HTML ignores the slash: the element stays open.
        self.broken = True
        self.handle_starttag(tag, attrs)
        if tag not in _DROPPED:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            self.broken = True
            return
        place = len(self.open) - 1 - self.open[::-1].index(tag)
        if any(skipped not in _END_OPTIONAL for skipped in self.open[place + 1 :]):
            self.broken = True
        self._close_down_to(place)

    def handle_data(self, data: str) -> None:
        if "<" in data and not (self.open and self.open[-1] in _RAW_TEXT):
            self.broken = True
            data = data.replace("<", "&lt;")
        self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")

    def _close_down_to(self, place: int) -> None:
        while len(self.open) > place:
            self.out.append(f"</{self.open.pop()}>")


def balanced(fragment: str) -> str:
    """Return *fragment* unchanged when its tags are balanced, else a balanced copy.

    An open ``<div>``, comment or ``<script>`` in one cell would otherwise swallow the cells
    after it and the colophon; a stray end tag would close an element of ours.
    """
    if "<" not in fragment:
        return fragment
    parser = _Balancer()
    parser.read(fragment)
    return "".join(parser.out) if parser.broken else fragment


_PANDAS_STYLE = re.compile(
    r"<style scoped>\s*\.dataframe tbody tr th:only-of-type.*?</style>\s*", re.DOTALL
)
_FRAME = re.compile(r'<table border="1" class="dataframe">.*?</table>', re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<td>(.*?)</td>", re.DOTALL)
_NUMBER = re.compile(
    r"\s*(?:[-+−]?[\d,]*\.?\d+(?:e[-+−]?\d+)?\s?%?|[-–—]|[-+]?inf|nan|none|nat|&lt;na&gt;|\.\.\.|)\s*",
    re.IGNORECASE,
)


def set_frames(fragment: str) -> str:
    """Return *fragment* with pandas tables set for reading: text left, numbers right.

    The style block that pandas repeats before each table is taken out: the page has its own.
    """
    if 'class="dataframe"' not in fragment:
        return fragment
    if _is_ended(fragment, "<style scoped", "</style>"):
        fragment = _PANDAS_STYLE.sub("", fragment)
    if not _is_ended(fragment, "<table", "</table>"):
        return fragment
    return _FRAME.sub(lambda m: _set_frame(m[0]), fragment)


def _is_ended(text: str, begin: str, end: str) -> bool:
    """Tell whether each *begin* has an *end* behind it; those that have none would be sought anew
    from each of them to the end of the text."""
    return text.rfind(begin) < text.rfind(end)


def _set_frame(table: str) -> str:
    if not _is_ended(table, "<tr", "</tr>") or not _is_ended(table, "<td", "</td>"):
        return table
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    width = max((len(row) for row in rows), default=0)
    text = [
        any(len(row) == width and not _NUMBER.fullmatch(row[column]) for row in rows)
        for column in range(width)
    ]
    return _ROW.sub(lambda m: _set_row(m[0], text), table)


def _set_row(row: str, text: list[bool]) -> str:
    head = "<td>" not in row and row.count("<th>") >= len(text) and "colspan" not in row
    tag = "<th>" if head else "<td>"
    parts = row.split(tag)
    # Header cells of the index come first; the columns are the last ones.
    lead = len(parts) - len(text)
    if lead < 1:
        return row
    marks = [f'{tag[:-1]} class="t">' if is_text else tag for is_text in text]
    return tag.join(parts[:lead]) + "".join(
        mark + part for mark, part in zip(marks, parts[lead:], strict=True)
    )
