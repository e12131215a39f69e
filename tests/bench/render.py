"""``python -m tests.bench.render TIMES``: seconds of rendering a notebook, by us and nbconvert.

Prints JSON: for each way its seconds and the bytes of its page. All are done in turn.
"""

import base64
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.rendering.colophon import Colophon, EnvironmentLine
from pipeline.rendering.render import Rendered, render_report

_CELLS, _FIGURES, _FIGURE_BYTES = 100, 10, 20_000


def main() -> None:
    """Render, and print what it took."""
    notebook = json.dumps(_notebook()).encode()
    ways = {"provenote": _ours(notebook), "lab": _theirs(notebook, "lab")}
    ways["classic"] = _theirs(notebook, "classic")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    sizes = {}
    for round_ in range(1 + int(sys.argv[1])):
        for name, way in ways.items():
            began = time.perf_counter()
            page = way()
            if round_:
                seconds[name].append(time.perf_counter() - began)
            sizes[name] = len(page)
    print(json.dumps({name: {"seconds": seconds[name], "bytes": sizes[name]} for name in ways}))


def _ours(notebook: bytes) -> Callable[[], bytes]:
    return lambda: _whole(render_report(notebook, _colophon(), {"kind": "report"}))


def _whole(page: Rendered) -> bytes:
    """Return all that a reader of the page fetches for it alone."""
    return page.html.encode() + b"".join(data for _, data in page.parts)


def _theirs(notebook: bytes, template: str) -> Callable[[], bytes]:
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name=template)

    def way() -> bytes:
        page: str = exporter.from_notebook_node(nbformat.reads(notebook.decode(), as_version=4))[0]
        return page.encode()

    return way


def _colophon() -> Colophon:
    environment = EnvironmentLine("3.11", "0" * 64, 40)
    values = dict.fromkeys(("project", "report", "title", "subject", "author", "host"), "bench")
    return Colophon(
        **values,
        commit="0" * 40,
        branch="main",
        committed_at=None,
        params={},
        origins={},
        inputs=(),
        stages=(),
        key="0" * 64,
        verdict="passed",
        environment=environment,
        trigger="api",
        actor=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=1.0,
        provenote_version="0",
        reproduce="provenote run",
    )


def _notebook() -> dict[str, object]:
    chance = random.Random(1)
    cells = [_cell(number, chance) for number in range(_CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(number: int, chance: random.Random) -> dict[str, object]:
    """Return a cell: every fourth is prose, every tenth has a figure, others a text or table."""
    cell: dict[str, object] = {"id": f"cell-{number}", "metadata": {}}
    if number % 4 == 0:
        source = f"## Part {number}\n\nSome *prose* with `code`, $x^2$ and a list:\n\n- one\n- two"
        return cell | {"cell_type": "markdown", "source": source}
    if number % _FIGURES == 1:
        png = base64.b64encode(chance.randbytes(_FIGURE_BYTES)).decode()
        output = _display({"image/png": png, "text/plain": "<Figure>"})
    elif number % 4 == 1:
        output = _display({"text/html": _html(chance), "text/plain": "   visits"})
    else:
        text = "".join(f"line {line}: {chance.random()}\n" for line in range(10))
        output = {"output_type": "stream", "name": "stdout", "text": text}
    source = f"frame = load({number})\nfor row in frame.rows:\n    print(row.name, row.value)"
    code = {"cell_type": "code", "execution_count": number, "outputs": [output]}
    return cell | code | {"source": source}


def _display(data: dict[str, str]) -> dict[str, object]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _html(chance: random.Random) -> str:
    rows = "".join(f"<tr><th>{n}</th><td>{chance.random()}</td></tr>" for n in range(10))
    return f'<table class="dataframe"><tbody>{rows}</tbody></table>'


if __name__ == "__main__":
    main()
