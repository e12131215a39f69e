"""Trends as drawings: a small SVG that needs no script, and the data for the larger plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.web.filters import number, short
from provenance.ledger.queries.trends import Point, Series, Trend, TrendCommit
from provenance.ledger.states import Verdict

WIDTH, HEIGHT, EDGE = 320.0, 84.0, 8.0


@dataclass(frozen=True)
class Dot:
    """A run in the drawing."""

    x: float
    y: float
    run: str
    label: str
    css: str
    last: bool


@dataclass(frozen=True)
class Line:
    """A case in the drawing; broken into pieces where a value is missing."""

    pieces: tuple[str, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Spark:
    """A drawing: lines inside a box."""

    lines: tuple[Line, ...]
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True)
class TrendView:
    """A metric, ready to be shown."""

    name: str
    unit: str | None
    better: str | None
    last: float | None
    """The newest value, where there is one case only."""
    cases: tuple[str, ...]
    spark: Spark
    data: dict[str, Any]


def trend_view(trend: Trend, commits: Sequence[TrendCommit]) -> TrendView:
    """Prepare *trend* over *commits* for its page."""
    points = trend.series[0].points if len(trend.series) == 1 else []
    return TrendView(
        trend.name,
        trend.unit,
        trend.better,
        points[-1].value if points else None,
        tuple(series.case for series in trend.series),
        _spark(trend, commits),
        _data(trend, commits),
    )


def _spark(trend: Trend, commits: Sequence[TrendCommit]) -> Spark:
    values = [
        point.value for series in trend.series for point in series.points if point.value is not None
    ]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    return Spark(tuple(_line(series, commits, low, high) for series in trend.series))


def _line(series: Series, commits: Sequence[TrendCommit], low: float, high: float) -> Line:
    pieces: list[list[str]] = [[]]
    dots: list[Dot] = []
    steps = max(len(commits) - 1, 1)
    for point in series.points:
        if point.value is None:
            pieces.append([])
            continue
        x = round(EDGE + (WIDTH - 2 * EDGE) * point.at / steps, 1)
        height = (point.value - low) / (high - low) if high > low else 0.5
        y = round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * height, 1)
        pieces[-1].append(f"{x},{y}")
        dots.append(_dot(series, point, commits, x, y))
    drawn = tuple(" ".join(piece) for piece in pieces if len(piece) > 1)
    return Line(drawn, tuple(dots))


def _dot(series: Series, point: Point, commits: Sequence[TrendCommit], x: float, y: float) -> Dot:
    commit = commits[point.at]
    label = f"{number(point.value)} at {short(commit.sha)} {commit.subject} ({series.case})"
    css = "" if point.verdict == Verdict.PASSED else "missed"
    return Dot(x, y, point.run, label, css, point is series.points[-1])


def _data(trend: Trend, commits: Sequence[TrendCommit]) -> dict[str, Any]:
    return {
        "name": trend.name,
        "commits": [[short(commit.sha), commit.subject] for commit in commits],
        "series": [_series(series, len(commits)) for series in trend.series],
    }


def _series(series: Series, length: int) -> dict[str, Any]:
    values: list[float | None] = [None] * length
    runs: list[str | None] = [None] * length
    missed: list[int] = []
    for point in series.points:
        values[point.at], runs[point.at] = point.value, point.run
        if point.verdict != Verdict.PASSED:
            missed.append(point.at)
    return {"case": series.case, "values": values, "runs": runs, "missed": missed}
