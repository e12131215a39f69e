"""From a page as one file back to the page that it was made of; the file may be anybody's."""

import base64
import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from pipeline.rendering.assets import FROM_PAGE
from pipeline.rendering.parts import FROM_PAGE as PARTS
from pipeline.rendering.standalone import (
    ENDING,
    LATER,
    LAZY,
    POLICY_ELEMENT,
    Sources,
    Stamp,
    put_together,
)
from provenance.errors import InvalidInputError
from provenance.pages import parts_of

_STAMP = re.compile(
    r'<meta name="provenote-file" content="([0-9a-f]{64}) ([0-9a-f]{64}|-) ([^"\s]{1,2000})">'
)
_STAMP_WITHIN = 10_000
"""Characters of a file, from its beginning, in which its stamp stands."""
_ADDRESS = r'data-library="([0-9a-f]{64})/([\w.-]{1,200})"'
_LIBRARY = re.compile(
    rf"<style {_ADDRESS}>|"
    rf'<script {_ADDRESS} data-loaded="([\w-]{{1,20}})" data-escaped="([\d ]{{0,20000}}+)">'
)
_FIGURE = re.compile(
    r'<img data-output="(\d{1,9}/[\w.-]{1,200})" data-loaded="([\w-]{1,20})" '
    r'src="data:[\w/+.-]{0,100};base64,([A-Za-z0-9+/=]*+)"'
)


class NoStampError(InvalidInputError):
    """Raised when a file is no page that provenote has put together as one file."""

    code = "no_stamp"


@dataclass
class TakenApart:
    """A page as one file, without what was put into it."""

    stamp: Stamp
    page: str = ""
    """The page itself."""
    libraries: dict[str, str] = field(default_factory=dict)
    """Texts of scripts and style sheets, by the digests that they ought to have."""
    figures: dict[str, bytes] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    """What was put in and is not what the page names."""

    @property
    def sha256(self) -> str:
        """The digest of the page."""
        return hashlib.sha256(self.page.encode(errors="replace")).hexdigest()

    def is_whole(self, text: str) -> bool:
        """Tell whether putting it together again gives *text*, to the last character."""
        sources = Sources(lambda sha256, _: self.libraries[sha256], self.figures.__getitem__)
        try:
            return put_together(self.page, sources, self.stamp) == text
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
            return False  # it leads to what is not in it, or its list of parts is none


def taken_apart(text: str) -> TakenApart:
    """Return what *text*, a page as one file, was put together from.

    What was put in is taken out by its marks and hashed; nothing of it is executed. Raises
    NoStampError where the file does not say that it is such a page.
    """
    stamp = _STAMP.search(text, 0, _STAMP_WITHIN)
    if stamp is None:
        raise NoStampError(
            "It has no stamp, which provenote sets into the head of a page as one file.",
            "Take the page from its run: Download, or `provenote export RUN --format html`.",
        )
    found = TakenApart(Stamp(stamp[1], stamp[2], unescape(stamp[3])))
    page = text.replace(f"\n{POLICY_ELEMENT}\n{stamp[0]}", "", 1)
    page = "".join(_without_libraries(page, found))
    page = _without_figures(page, found)
    link = f'<a data-output href="{stamp[3]}/{PARTS}'
    found.page = page.replace(link, f'<a href="{PARTS}')
    return found


def _without_libraries(text: str, found: TakenApart) -> Iterator[str]:
    """Yield *text* with each library that was put in as the element that loads it."""
    done = 0
    while opening := _LIBRARY.search(text, done):
        is_style = opening[1] is not None
        end_tag = "</style>" if is_style else "</script>"
        end = text.find(end_tag, opening.end())
        if end < 0:
            break  # none of the rest ends
        sha256, name = (opening[1], opening[2]) if is_style else (opening[3], opening[4])
        content = _as_it_was(text[opening.end() : end], opening[6] or "")
        if hashlib.sha256(content.encode(errors="replace")).hexdigest() != sha256:
            found.changed.append(f"library {name}")
        found.libraries[sha256] = content
        yield text[done : opening.start()]
        address = f"{FROM_PAGE}{sha256}/{name}"
        defer = " defer" if opening[5] == LATER else ""
        linked = f'<link rel="stylesheet" href="{address}">'
        yield linked if is_style else f'<script src="{address}"{defer}></script>'
        done = end + len(end_tag)
    yield text[done:]


def _as_it_was(script: str, escaped: str) -> str:
    """Return a script with what looked like its end, where *escaped* counts such places."""
    wanted = set(escaped.split())
    places = itertools.count()
    return ENDING.sub(lambda found: "<" if str(next(places)) in wanted else found[0], script)


def _without_figures(page: str, found: TakenApart) -> str:
    """Return *page* with each figure that was put in as the element that loads it."""
    try:
        parts = parts_of(page)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return page

    def figure(match: re.Match[str]) -> str:
        part = parts.get(match[1])
        if part is None:
            return match[0]
        content = _decoded(match[3])
        if hashlib.sha256(content).hexdigest() != part.sha256:
            found.changed.append(f"figure {match[1]}")
        found.figures[str(part.sha256)] = content
        return f'<img src="{PARTS}{match[1]}"{LAZY if match[2] == LATER else ""}'

    return _FIGURE.sub(figure, page)


def _decoded(text: str) -> bytes:
    """Return what *text* is the Base64 of; nothing where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
