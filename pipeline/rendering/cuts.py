"""Outputs that are too long for a page: what of them is shown."""

import re
from collections import deque
from dataclasses import dataclass

MOST_LINES = 2_000
LONGEST_TEXT = 200_000
"""Characters of a text that stand in a page."""
LARGEST_HTML = 1_000_000
"""Characters of an HTML output without scripts and without what it embeds."""
LARGEST_LIVE = 20_000_000
"""Characters of an HTML output that draws itself with a script, or embeds pictures."""
_SHOWN_HTML = 200_000
_SHOWN_END = 5
"""The end of a long text is one part of what is shown in so many."""
_DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
_SCRIPT = re.compile(r"<(/?)(script|style)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Cut:
    """A text in two pieces, and what was left out between them."""

    head: str
    tail: str
    left_out: str


def cut_text(text: str) -> Cut | None:
    """Return the beginning and the end of a text that is too long; None where it is not."""
    lines = text.count("\n") + 1
    if lines <= MOST_LINES and len(text) <= LONGEST_TEXT:
        return None
    end_lines, end_text = MOST_LINES // _SHOWN_END, LONGEST_TEXT // _SHOWN_END
    head = "\n".join(text.split("\n", MOST_LINES - end_lines)[: MOST_LINES - end_lines])
    head = head[: LONGEST_TEXT - end_text]
    tail = "\n".join(text[len(head) :].rsplit("\n", end_lines)[-end_lines:])[-end_text:]
    gone = len(text) - len(head) - len(tail)
    gone_lines = lines - head.count("\n") - tail.count("\n") - 2
    told = f"{gone_lines:,} lines, " if gone_lines > 0 else ""
    return Cut(head, tail, f"{told}{gone:,} characters")


def is_large(fragment: str) -> bool:
    """Tell whether an HTML output is more than text and tables should be."""
    return len(fragment) > LARGEST_HTML


def cut_html(fragment: str) -> Cut | None:
    """Return the beginning of an HTML output that is too large; None where it is not.

    Of one that draws with scripts there is no beginning: it is shown whole or not at all.
    """
    if not is_large(fragment):
        return None
    live = "<script" in fragment.lower()
    embedded = sum(len(found[0]) for found in _DATA.finditer(fragment))
    if (live or len(fragment) - embedded <= LARGEST_HTML) and len(fragment) <= LARGEST_LIVE:
        return None
    head = "" if live or embedded > LARGEST_HTML else _whole_elements(fragment[:_SHOWN_HTML])
    return Cut(head, "", f"{len(fragment) - len(head):,} characters of HTML")


def _whole_elements(start: str) -> str:
    """Cut the beginning of an output behind a row of a table, or at least behind a tag."""
    row = start.rfind("</tr>")
    start = start[: row + len("</tr>")] if row >= 0 else start[: start.rfind(">") + 1]
    last = next(iter(deque(_SCRIPT.finditer(start), maxlen=1)), None)
    # A style that is not ended would swallow the page.
    return start[: last.start()] if last and not last[1] else start
