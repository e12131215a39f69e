"""Pictures: in the page itself as long as it stays light, else beside it."""

import base64
import binascii
from typing import Any

from markupsafe import Markup

from pipeline.drawn import png_extent
from pipeline.rendering.sheet import Given

_SVG = "image/svg+xml"
_WIDEST = 100_000
_PICTURE = Markup('<figure><img src="{}"{}{} alt="{}"></figure>\n')
_NO_PICTURE = Markup('<p class="note">Content that claims to be {} and is not.</p>\n')


def _figure(media_type: str, data: Any, given: Given) -> Markup:
    text = str(data)
    compact = (
        base64.b64encode(text.encode("utf-8", "replace")).decode()
        if media_type == _SVG
        else text.replace("\n", "")
    )
    content = b"" if given.sheet.parts.room_for_figure(len(compact)) else _decoded(compact)
    if content is None:
        return _NO_PICTURE.format(media_type)
    if content:
        source = given.sheet.parts.add(given.place, media_type, content)
        extent = _extent(given, media_type) or _own_extent(content)
        lazy = Markup(' loading="lazy" decoding="async"')
    else:
        source, extent = f"data:{media_type};base64,{compact}", _extent(given, media_type)
        lazy = Markup("")
    return _PICTURE.format(source, lazy, extent, _alt(given, media_type))


def _decoded(compact: str) -> bytes | None:
    try:
        return base64.b64decode(compact, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _alt(given: Given, media_type: str) -> str:
    return str(given.told(media_type).get("alt") or given.output.metadata.get("alt") or "Figure")


def _extent(given: Given, media_type: str) -> Markup:
    width = given.told(media_type).get("width")
    if not isinstance(width, (int, float)) or not 0 < width < _WIDEST:
        return Markup("")
    return Markup(' width="{}"').format(int(width))


def _own_extent(content: bytes) -> Markup:
    """Return a PNG's extent: the page keeps its place free until it is loaded."""
    extent = png_extent(content)
    return Markup(' width="{}" height="{}"').format(*extent) if extent else Markup("")


def _form(media_type: str) -> Any:
    def form(data: Any, given: Given) -> Markup:
        return _figure(media_type, data, given)

    return form


FORMS = {
    media_type: _form(media_type)
    for media_type in (_SVG, "image/png", "image/jpeg", "image/gif", "image/webp")
}
"""How each kind of picture is shown."""
