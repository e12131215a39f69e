"""Metrics and checks, as the SDK notes them in a file while users' code runs."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.untrusted import read_regular
from provenance.text import storable

MAX_RESULTS = 20_000
MAX_RESULT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Metric:
    """A number that was recorded; None where it was not finite."""

    name: str
    value: float | None
    unit: str | None = None
    better: str | None = None


@dataclass(frozen=True)
class Check:
    """A pass/fail statement that was recorded."""

    ok: bool
    message: str


@dataclass(frozen=True)
class Results:
    """What users' code recorded; of two metrics with one name the later one counts."""

    metrics: tuple[Metric, ...] = ()
    checks: tuple[Check, ...] = ()

    def __add__(self, other: "Results") -> "Results":
        """Return these results followed by *other*."""
        metrics = {metric.name: metric for metric in (*self.metrics, *other.metrics)}
        return Results(tuple(metrics.values()), self.checks + other.checks)

    def as_json(self) -> dict[str, Any]:
        """Return the results as plain JSON values."""
        return {
            "metrics": [vars(metric) for metric in self.metrics],
            "checks": [vars(check) for check in self.checks],
        }


def results_from_json(body: dict[str, Any]) -> Results:
    """Return the results that :meth:`Results.as_json` gave."""
    return Results(
        tuple(Metric(**metric) for metric in body.get("metrics", ())),
        tuple(Check(**check) for check in body.get("checks", ())),
    )


class TooManyResultsError(Exception):
    """Raised when users' code recorded more than anyone could look at; nothing is left out."""


def read_results(path: Path) -> Results:
    """Return what the file at *path* holds; users' code may have written anything to it.

    Raises TooManyResultsError: a check that was left out could be the one that failed; and
    UntrustedFileError where there is no file, but something else.
    """
    try:
        data = read_regular(path, MAX_RESULT_BYTES + 1)
    except FileNotFoundError:
        return Results()
    if len(data) > MAX_RESULT_BYTES:
        raise TooManyResultsError(f"more than {MAX_RESULT_BYTES // 1024**2} MiB of results")
    metrics: dict[str, Metric] = {}
    checks: list[Check] = []
    for line in data.decode(errors="replace").splitlines():
        found = _parse(line)
        if isinstance(found, Metric):
            metrics[found.name] = found
        elif found:
            checks.append(found)
    if len(metrics) + len(checks) > MAX_RESULTS:
        told = f"{len(metrics):,} metrics and {len(checks):,} checks"
        raise TooManyResultsError(f"{told}; at most {MAX_RESULTS:,} can be kept")
    return Results(tuple(metrics.values()), tuple(checks))


def _parse(line: str) -> Metric | Check | None:
    try:
        body = json.loads(line)
        if "metric" in body:
            return _metric(**body["metric"])
        return Check(bool(body["check"]["ok"]), _text(body["check"]["message"], 2_000))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _text(value: Any, longest: int) -> str:
    """Return *value* as text of at most *longest* characters."""
    text: str = storable(str(value)[:longest])
    return text


def _metric(name: Any, value: Any, unit: Any = None, better: Any = None) -> Metric:
    number = float(value) if value is not None else None
    if number is not None and not math.isfinite(number):
        number = None
    known = better if better in {"higher", "lower"} else None
    return Metric(_text(name, 200), number, None if unit is None else _text(unit, 40), known)
