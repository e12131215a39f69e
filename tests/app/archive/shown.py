"""Runs whose pages show figures, as a worker finds them; nothing is executed."""

import base64
import json
import random
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from app.work.indexing import read_pages
from provenance.ledger.tables import Evaluation, Run
from provenance.ledger.text_tables import PageText
from tests.app.archive.maker import Maker
from tests.support.rows import publish_page

TABLE = "<table><tr><th>hour</th><th>delay</th></tr><tr><td>7</td><td>12.5</td></tr></table>"


def png(shade: int, width: int = 40, height: int = 30) -> bytes:
    """Return a picture in one shade of grey."""
    return _png((b"\0" + bytes([shade]) * width) * height, width, height)


def noise(seed: int, width: int, height: int) -> bytes:
    """Return a picture of as many bytes as it has dots."""
    chance = random.Random(seed)
    rows = b"".join(b"\0" + chance.randbytes(width) for _ in range(height))
    return _png(rows, width, height)


def _png(rows: bytes, width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def picture(content: bytes) -> dict[str, Any]:
    return {"image/png": base64.b64encode(content).decode()}


def notebook(shown: Sequence[dict[str, Any]], heading: str = "Delay by hour") -> bytes:
    """Return a notebook that shows each of these below a heading, in a cell of its own."""
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": f"# {heading}"}]
    for number, data in enumerate(shown):
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        cells.append({"cell_type": "code", "source": f"plot({number})", "outputs": [output]})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


def noted_run(maker: Maker, evaluation: Evaluation, content: bytes, **values: Any) -> Run:
    """Write a run with this notebook and a page, which nobody has read yet."""
    kept = maker.keep(content)
    html = values.pop("html", None) or maker.keep(b"<h1>report</h1>" + content[:999])
    run = maker.run(evaluation, html=html, notebook=kept, **values)
    page = PageText(html=html, notebook=kept, project_id=run.project_id, names="flights")
    with maker.installation.ledger.writing() as session:
        publish_page(session, page)
    return run


def shown_run(maker: Maker, evaluation: Evaluation, *shown: dict[str, Any], **values: Any) -> Run:
    """Write a run whose page shows these outputs and was read."""
    run = noted_run(maker, evaluation, notebook(shown), **values)
    read_pages(maker.installation, 60.0)
    return run
