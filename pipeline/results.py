"""Metrics and checks, as the SDK notes them in a file while users' code runs."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_RESULTS = 10_000


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


def read_results(path: Path) -> Results:
    """Return what the file at *path* holds; users' code may have written anything to it."""
    results = Results()
    if not path.exists():
        return results
    metrics: dict[str, Metric] = {}
    checks: list[Check] = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line, _ in zip(lines, range(MAX_RESULTS), strict=False):
            found = _parse(line)
            if isinstance(found, Metric):
                metrics[found.name] = found
            elif found:
                checks.append(found)
    return Results(tuple(metrics.values()), tuple(checks))


def _parse(line: str) -> Metric | Check | None:
    try:
        body = json.loads(line)
        if "metric" in body:
            return _metric(**body["metric"])
        return Check(bool(body["check"]["ok"]), str(body["check"]["message"])[:10_000])
    except (ValueError, TypeError, KeyError):
        return None


def _metric(name: Any, value: Any, unit: Any = None, better: Any = None) -> Metric:
    number = float(value) if value is not None else None
    if number is not None and not math.isfinite(number):
        number = None
    known = better if better in {"higher", "lower"} else None
    return Metric(str(name)[:200], number, None if unit is None else str(unit)[:40], known)
