"""What a figure is called, so that the same one is recognised on pages of other commits.

A figure's slot is the heading that it stands below, its kind, and which of that kind it is there:
``delay-by-hour/image-1``. Code may change, and cells may come and go in other sections. A tag
``figure:NAME`` of its cell takes the place of the heading, and so holds whatever is moved or
renamed.
"""

import re
from collections import Counter
from collections.abc import Sequence

LONGEST_HEADING = 120
_LONGEST_LINE = 400
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+)")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_MARKS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)|<[^<>]*>")
_APART = re.compile(r"[\W_]+")
_TAG = "figure:"


class Slots:
    """Gives the figures of one page their slots, in the order in which they stand there."""

    def __init__(self) -> None:
        self.heading = ""
        """The nearest heading above."""
        self._place = "page"
        self._given: Counter[tuple[str, str]] = Counter()

    def read(self, markdown: str) -> None:
        """Pass by a Markdown cell: its last heading is that of what follows."""
        is_code = False
        for line in markdown.splitlines():
            if _FENCE.match(line):
                is_code = not is_code
            elif not is_code and (found := _HEADING.match(line[:_LONGEST_LINE])):
                text = found[1].strip().rstrip("#").strip()
                self.heading = _MARKS.sub("", text).strip()[:LONGEST_HEADING]

    def enter(self, tags: Sequence[str]) -> None:
        """Come to a cell that has these *tags*."""
        named = next((tag[len(_TAG) :] for tag in tags if tag.startswith(_TAG)), self.heading)
        short = named[:LONGEST_HEADING].casefold()
        self._place = _APART.sub("-", short).strip("-") or "page"

    def next(self, kind: str) -> str:
        """Return the slot of the next figure of the cell, which is of that *kind*."""
        self._given[self._place, kind] += 1
        return f"{self._place}/{kind}-{self._given[self._place, kind]}"
