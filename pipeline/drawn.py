"""Outputs that are drawn, as pictures or by a library in the reader's browser: what they are.

Nothing heavy is imported here: who looks for figures in notebooks need not set pages.
"""

import json
import re
import struct
from typing import Any

PLOTLY = "application/vnd.plotly.v1+json"
VEGA = re.compile(r"application/vnd\.vega(?:lite)?\.v\d+(?:\.\d+)*[+.]json")

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def png_extent(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, of which the beginning is enough; None of all else."""
    if not content.startswith(_PNG_HEAD) or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def altair_chart(source: str) -> tuple[Any, Any] | None:
    """Return the chart and its options in the HTML that Altair gives notebooks, as they stand.

    None where it is not that.
    """
    if "vega-embed" not in source or "maybeLoadScript" not in source:
        return None
    begin = source.rfind("})({")
    decoder = json.JSONDecoder()
    try:
        spec, end = decoder.raw_decode(source, begin + 3)
        options, _ = decoder.raw_decode(source, source.index("{", end))
    except (ValueError, RecursionError):
        return None
    return spec, options
