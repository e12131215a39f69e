"""HTML of outputs as tags and texts, read in one pass whatever it holds.

It is no parser: Python's own takes time by the square of what is malformed, and code that nobody
trusts has written this. A ``>`` inside of an attribute ends its tag here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*+)?(?P<attributes>[^<>]*+)>")
_UNSEEN = ("script", "style")


@dataclass(frozen=True)
class Piece:
    """A tag by its name, or a text that is seen."""

    tag: str = ""
    """The name in lower case; empty for a text."""
    is_end: bool = False
    text: str = ""
    attributes: str = ""
    """What stands in a tag behind its name, as it is written there."""


def pieces(html: str) -> Iterator[Piece]:
    """Yield what *html* consists of; scripts, styles and comments are left out."""
    at, unseen = 0, ""
    for found in _TAG.finditer(html):
        name, is_end = (found["name"] or "").lower(), bool(found["end"])
        if unseen:
            unseen = "" if is_end and name == unseen else unseen
        else:
            if found.start() > at:
                yield Piece(text=_plain(html[at : found.start()]))
            if name in _UNSEEN:
                unseen = "" if is_end else name
            elif name:
                yield Piece(name, is_end, attributes=found["attributes"])
        at = found.end()
    if not unseen and at < len(html):
        yield Piece(text=_plain(html[at:]))


def _plain(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # the number of a character may have thousands of digits
        return text
