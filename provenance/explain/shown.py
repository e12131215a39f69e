"""What a cell shows, as its outputs say: the same reader for whoever compares two notebooks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shown:
    """One thing that a cell shows: what it is, and its content as text or bytes."""

    kind: str
    """``stdout``, ``stderr``, ``error``, or a media type."""
    content: str


def shown_by(outputs: Any) -> list[Shown]:
    """Return what a cell shows. What it printed is taken together: when a kernel sends is luck."""
    printed = {"stdout": "", "stderr": ""}
    rest: list[Shown] = []
    for output in outputs or ():
        if output.get("output_type") == "stream":
            name = str(output.get("name"))
            printed[name] = printed.get(name, "") + _joined(output.get("text"))
        elif output.get("output_type") == "error":
            told = f"{output.get('ename')}: {output.get('evalue')}"
            rest.append(Shown("error", told))
        else:
            data = output.get("data")
            data = data if isinstance(data, Mapping) else {}
            rest += [Shown(str(media), _content(data[media])) for media in sorted(data)]
    return [*(Shown(name, text) for name, text in printed.items() if text), *rest]


def _content(value: Any) -> str:
    if isinstance(value, str | list):
        return _joined(value)
    return json.dumps(value, sort_keys=True, indent=1)


def _joined(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
