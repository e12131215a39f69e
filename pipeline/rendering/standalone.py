"""A page as one file: libraries and figures put into it, for readers without this server."""

import base64
import re
from collections.abc import Callable, Iterator
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
_CHARSET = '<meta charset="utf-8">'
_LIBRARY = re.compile(
    r'<(?:link rel="stylesheet" href|script src)="'
    + re.escape(FROM_PAGE)
    + r'([0-9a-f]{64})/([\w.-]+)"(?: defer)?>(?:</script>)?'
)
_BESIDE = re.compile(r'<meta name="assets-beside" content="([^"]*)">')
_FIGURE = re.compile(r'(<img src=")output/(\d+/[\w.-]+)"(?: loading="lazy" decoding="async")?')
_LINK = re.compile(r'(<a href=")output/(\d+/[\w.-]+")')


def standalone(page: str, store: Store, run_url: str) -> str:
    """Return *page* as one file that opens without a network, and asks for nothing.

    Whole outputs, of which a page shows the beginning, stay where they are: links to them
    lead to *run_url*, the run's address. Raises MissingObjectError where the store has lost
    what the page leads to.
    """
    head, body, rest = page.partition("<body>")
    parts = parts_of(page)

    def library(found: re.Match[str]) -> str:
        asset = known_asset(found[1], found[2])
        text = asset_bytes(store, asset).decode()
        if asset.name.endswith(".css"):
            return f"<style>{text}</style>"
        # Nothing in a script may look like the end of its element.
        text = re.sub(r"<(?=/script|!--)", r"\\x3c", text, flags=re.IGNORECASE)
        return f"<script>{text}</script>"

    def figure(found: re.Match[str]) -> str:
        part = parts.get(found[2])
        if part is None:
            return found[0]
        data = base64.b64encode(store.read(part.sha256)).decode()
        return f'{found[1]}data:{part.media_type};base64,{data}"'

    def link(found: re.Match[str]) -> str:
        return f"{found[1]}{escape(run_url)}/output/{found[2]}"

    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head = head.replace(_CHARSET, f"{_CHARSET}\n{meta}", 1)
    return _LIBRARY.sub(library, head) + body + _LINK.sub(link, _FIGURE.sub(figure, rest))


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
