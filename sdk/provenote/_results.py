"""Metrics and checks: one JSON line each in the run's results, or printed on a laptop."""

import json
import math
import sys
from pathlib import Path
from typing import Any

from provenote._context import current

DIRECTIONS = ("higher", "lower")
_recorded: dict[str, float | None] = {}


def metrics_so_far() -> dict[str, float | None]:
    """Return what this process has recorded with ``provenote.metric`` until now."""
    return dict(_recorded)


def record_metric(name: str, value: object, unit: str | None, better: str | None) -> None:
    """Record one number; see ``provenote.metric``."""
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"A metric's name must be a non-empty string, found {name!r}.")
    if unit is not None and not isinstance(unit, str):
        raise TypeError(f"Metric {name}: unit must be a string such as 'min', found {unit!r}.")
    if better is not None and better not in DIRECTIONS:
        raise ValueError(f"Metric {name}: better must be 'higher' or 'lower', found {better!r}.")
    number = _recorded[name] = _number(name, value)
    context = current()
    if context is None:
        shown = "missing" if number is None else f"{number:.6g}"
        say(f"metric {name} = {shown}" + (f" {unit}" if unit else ""))
        return
    line = {"name": name, "value": number, "unit": unit, "better": better}
    append(context.results, {"metric": line})


def record_check(ok: object, message: str) -> bool:
    """Record one statement; see ``provenote.check``."""
    if not isinstance(message, str) or not message.strip():
        raise TypeError(f"A check's message must be a non-empty string, found {message!r}.")
    holds = bool(ok)
    context = current()
    if context is None:
        say(f"check {'✓' if holds else '✕'} {message}")
    else:
        append(context.results, {"check": {"ok": holds, "message": message}})
    return holds


def _number(name: str, value: Any) -> float | None:
    problem = f"Metric {name}: expected a number, found {type(value).__name__} {value!r}."
    if isinstance(value, (str, bytes)):
        raise TypeError(problem)
    try:
        number = float(value)
    except OverflowError:
        return None
    except (TypeError, ValueError) as error:
        raise TypeError(problem) from error
    return number if math.isfinite(number) else None


def append(path: Path, line: dict[str, object]) -> None:
    """Add one line to the results of the run."""
    data = (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n").encode()
    # One write to a file opened for appending keeps lines of several processes whole.
    with path.open("ab", buffering=0) as results:
        results.write(data)


def say(line: str) -> None:
    """Print one line, in whatever encoding the terminal has."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)
