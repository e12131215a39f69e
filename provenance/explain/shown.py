"""What an executed notebook shows, as its JSON says: the same reader for whoever looks into one.

Users' code wrote it, so nothing of it is trusted: what has not the form that it should have is
passed over, and what is beside it is read all the same.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

INJECTED = "injected-parameters"
"""Tag of the cell that holds the values of the run; the template does not have it."""
_PRINTED = ("stdout", "stderr")


@dataclass(frozen=True)
class Shown:
    """One thing that a cell shows: what it is, and its content as text or bytes."""

    kind: str
    """``stdout``, ``stderr``, ``error``, or a media type."""
    content: str


@dataclass(frozen=True)
class Output:
    """One output of a cell, in all its forms."""

    kind: str
    """``stdout``, ``stderr``, ``error`` or ``data``."""
    forms: Mapping[str, str]
    """Its contents by their media types; of others than ``data``, ``text/plain`` alone."""


def template_cells(notebook: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the cells that the template has, with their numbers from 1."""
    cells = notebook.get("cells") if isinstance(notebook, Mapping) else None
    number = 0
    for cell in cells if isinstance(cells, list) else ():
        is_cell = isinstance(cell, Mapping) and isinstance(cell.get("cell_type"), str)
        if is_cell and INJECTED not in tags_of(cell):
            number += 1
            yield number, cell


def tags_of(cell: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags of a cell."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return tuple(map(str, tags)) if isinstance(tags, list) else ()


def source_of(cell: Mapping[str, Any]) -> str:
    """Return what the author of a cell wrote."""
    return _joined(cell.get("source"))


def outputs_of(outputs: Any) -> Iterator[Output]:
    """Yield the outputs of a cell; what it printed together, for when a kernel sends is luck."""
    told = [one for one in outputs if isinstance(one, Mapping)] if isinstance(outputs, list) else []
    printed = dict.fromkeys(_PRINTED, "")
    for one in told:
        if one.get("output_type") == "stream":
            name = str(one.get("name"))
            printed[name] = printed.get(name, "") + _joined(one.get("text"))
    yield from (Output(name, {"text/plain": text}) for name, text in printed.items() if text)
    for one in told:
        if one.get("output_type") == "error":
            yield Output("error", {"text/plain": f"{one.get('ename')}: {one.get('evalue')}"})
        elif one.get("output_type") != "stream":
            data = one.get("data")
            data = data if isinstance(data, Mapping) else {}
            yield Output("data", {str(media): _content(data[media]) for media in sorted(data)})


def shown_by(outputs: Any) -> list[Shown]:
    """Return what a cell shows, each form of an output by itself."""
    return [
        Shown(media if output.kind == "data" else output.kind, content)
        for output in outputs_of(outputs)
        for media, content in output.forms.items()
    ]


def _content(value: Any) -> str:
    if isinstance(value, str | list):
        return _joined(value)
    return json.dumps(value, sort_keys=True, indent=1)


def _joined(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
