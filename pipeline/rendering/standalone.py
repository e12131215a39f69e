"""A page as one file: libraries and figures put into it, for readers without this server.

What is put in is marked, so that it can be taken out again: ``taken_apart`` gives the page back.
"""

import base64
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape

from pipeline.rendering.assets import FROM_PAGE, asset_bytes, known_asset
from pipeline.rendering.parts import FROM_PAGE as PARTS
from provenance.pages import parts_of
from provenance.store import Store

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "worker-src blob:",
        "form-action 'none'",
        "base-uri 'none'",
    )
)
"""What a page on somebody's disk may do: draw, and reach nothing."""
POLICY_ELEMENT = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
_CHARSET = '<meta charset="utf-8">'
_LIBRARY = re.compile(
    r'<(?:link rel="stylesheet" href|script src)="'
    + re.escape(FROM_PAGE)
    + r'([0-9a-f]{64})/([\w.-]+)"( defer)?>(?:</script>)?'
)
_BESIDE = re.compile(r'<meta name="assets-beside" content="([^"]*)">')
NO_RECORD = "-"
LATER, AT_ONCE = "later", "at-once"
"""How the page itself has what was put in loaded: a mark, so that it can be taken out again."""
LAZY = ' loading="lazy" decoding="async"'
_FIGURE = re.compile(rf'<img src="output/(\d+/[\w.-]+)"({LAZY})?')
_LINK = re.compile(r'<a href="output/(\d+/[\w.-]+)"')
ENDING = re.compile(r"(?:<|\\x3c)(?=/script|!--)", re.IGNORECASE)
"""What in a script looks like the end of its element, and how it is written to be none."""


@dataclass(frozen=True)
class Stamp:
    """What a page as one file says of itself, so that it can be checked without an archive."""

    page: str
    """SHA-256 of the page that it was made of."""
    record: str
    """Id of the record that the page stands on, or `NO_RECORD`."""
    url: str
    """The address of its run."""

    @property
    def element(self) -> str:
        """The stamp as it stands in the file's head."""
        told = f"{self.page} {self.record} {escape(self.url)}"
        return f'<meta name="provenote-file" content="{told}">'


@dataclass(frozen=True)
class Sources:
    """Where what is put into a page comes from."""

    library: Callable[[str, str], str]
    """From digest and name to the text of a script or a style sheet."""
    figure: Callable[[str], bytes]
    """From a digest to the bytes."""


def standalone(page: str, store: Store, run_url: str, record: str | None = None) -> str:
    """Return *page* as one file that opens without a network, and asks for nothing.

    Whole outputs, of which a page shows the beginning, stay where they are: links to them
    lead to *run_url*, the run's address. Raises MissingObjectError where the store has lost
    what the page leads to.
    """

    def library(sha256: str, name: str) -> str:
        return asset_bytes(store, known_asset(sha256, name)).decode()

    stamp = Stamp(hashlib.sha256(page.encode()).hexdigest(), record or NO_RECORD, run_url)
    return put_together(page, Sources(library, store.read), stamp)


def put_together(page: str, sources: Sources, stamp: Stamp) -> str:
    """Return *page* with all that *sources* have of it, and marks at what was put in."""
    head, body, rest = page.partition("<body>")
    parts = parts_of(page)

    def library(found: re.Match[str]) -> str:
        address, text = f"{found[1]}/{found[2]}", sources.library(found[1], found[2])
        if address.endswith(".css"):
            return f'<style data-library="{address}">{text}</style>'
        way = LATER if found[3] else AT_ONCE
        text, escaped = _inert(text)
        mark = f'data-library="{address}" data-loaded="{way}" data-escaped="{escaped}"'
        return f"<script {mark}>{text}</script>"

    def figure(found: re.Match[str]) -> str:
        part = parts.get(found[1])
        if part is None:
            return found[0]
        data = base64.b64encode(sources.figure(part.sha256)).decode()
        way = LATER if found[2] else AT_ONCE
        mark = f'<img data-output="{found[1]}" data-loaded="{way}"'
        return f'{mark} src="data:{part.media_type};base64,{data}"'

    def link(found: re.Match[str]) -> str:
        return f'<a data-output href="{escape(stamp.url)}/output/{found[1]}"'

    meta = f"{POLICY_ELEMENT}\n{stamp.element}"
    head = head.replace(_CHARSET, f"{_CHARSET}\n{meta}", 1)
    return _LIBRARY.sub(library, head) + body + _LINK.sub(link, _FIGURE.sub(figure, rest))


def _inert(script: str) -> tuple[str, str]:
    """Return a script without anything that looks like its end, and which ones were such.

    These are counted among all that look so now: some were written like that before.
    """
    escaped: list[str] = []
    places = itertools.count()

    def written(found: re.Match[str]) -> str:
        place = next(places)
        if found[0] != "<":
            return found[0]
        escaped.append(str(place))
        return r"\x3c"

    return ENDING.sub(written, script), " ".join(escaped)


def led_to(page: str, store: Store) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield what a page leads to: each address, relative to the page, and what reads it.

    Reading raises MissingObjectError where the store has lost it.
    """
    for place, part in parts_of(page).items():
        yield f"{PARTS}{place}", partial(store.read, part.sha256)
    for sha256, name in _libraries(_head(page)):
        asset = known_asset(sha256, name)
        yield FROM_PAGE + asset.address, partial(asset_bytes, store, asset)


def _libraries(head: str) -> Iterator[tuple[str, str]]:
    """Yield digest and name of what the page loads, and of what outputs beside it load."""
    for found in _LIBRARY.finditer(head):
        yield found[1], found[2]
    beside = _BESIDE.search(head)
    for address in beside[1].split() if beside else ():
        sha256, _, name = address.partition("/")
        yield sha256, name


def _head(page: str) -> str:
    return page.partition("<body>")[0]
