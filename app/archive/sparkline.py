"""Trends as drawings: a small SVG that needs no script, and the data for the larger plot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from app.web.filters import number, short
from provenance.ledger.queries.trends import Line, Trend, Trends

WIDTH, HEIGHT, EDGE = 320.0, 84.0, 8.0
MOST_DOTS = 60
"""Points of a drawing: of more, only the last ones and those that have not passed are dots."""
_LEAST_USUAL, _MOST_USUAL = 5, 20


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
class Drawn:
    """A case in the drawing; broken into pieces where a value is missing."""

    pieces: tuple[str, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Spark:
    """A drawing: lines inside a box, and the band of what was usual lately."""

    lines: tuple[Drawn, ...]
    band: tuple[float, float] | None
    """Upper edge and height; null where there are several lines or too few values."""
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
    spark: Spark
    data: dict[str, Any]
    """What the plot needs besides the axis that it shares with others."""


def axis_data(trends: Trends, opens: str = "/runs/") -> dict[str, Any]:
    """Return what the plots of *trends* share: commits, cases, and what a point opens."""
    return {
        "opens": opens,
        "commits": [[short(commit.sha), commit.subject] for commit in trends.commits],
        "cases": [
            {"case": line.case, "runs": line.runs, "missed": line.missed} for line in trends.lines
        ],
    }


def trend_view(trend: Trend, trends: Trends) -> TrendView:
    """Prepare *trend*, one of *trends*, for its page."""
    values = [value for value in trend.values[0] if value is not None]
    alone = len(trend.values) == 1
    usual = _usual(values) if alone else None
    return TrendView(
        trend.name,
        trend.unit,
        trend.better,
        values[-1] if alone and values else None,
        _spark(trend, trends, usual),
        {"name": trend.name, "values": [*map(_told, trend.values)], "band": usual},
    )


def _told(values: Sequence[float | None]) -> list[float | None]:
    """Return what a plot can show of *values*; a page of many need not carry every digit."""
    return [None if value is None else float(f"{value:.7g}") for value in values]


def _usual(values: Sequence[float]) -> tuple[float, float] | None:
    """Return between what nine tenths of the values before the last one lay."""
    lately = values[-_MOST_USUAL - 1 : -1]
    if len(lately) < _LEAST_USUAL:
        return None
    cuts = quantiles(lately, n=20, method="inclusive")
    return cuts[0], cuts[-1]


@dataclass(frozen=True)
class _Scale:
    """Where a place of the axis and a value lie in the drawing."""

    low: float
    high: float
    steps: int

    def x(self, place: int) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * place / self.steps, 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * share, 1)


def _spark(trend: Trend, trends: Trends, usual: tuple[float, float] | None) -> Spark:
    values = [value for line in trend.values for value in line if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    scale = _Scale(low, high, max(len(trends.commits) - 1, 1))
    xs = [f"{scale.x(place)}," for place in range(len(trends.commits))]
    some = len(values) > MOST_DOTS
    lines = tuple(
        Drawn(tuple(_pieces(along, scale, xs)), tuple(_dots(line, along, trends, scale, some)))
        for line, along in zip(trends.lines, trend.values, strict=True)
    )
    band = (scale.y(usual[1]), round(scale.y(usual[0]) - scale.y(usual[1]), 1)) if usual else None
    return Spark(lines, band)


def _pieces(values: Sequence[float | None], scale: _Scale, xs: Sequence[str]) -> Iterator[str]:
    piece: list[str] = []
    for x, value in zip([*xs, ""], [*values, None], strict=True):
        if value is not None:
            piece.append(f"{x}{scale.y(value)}")
            continue
        if len(piece) > 1:
            yield " ".join(piece)
        piece = []


def _dots(
    line: Line, values: Sequence[float | None], trends: Trends, scale: _Scale, some: bool
) -> Iterator[Dot]:
    there = [place for place, value in enumerate(values) if value is not None]
    missed = set(line.missed)
    for place in there:
        run, value, last = line.runs[place], values[place], place == there[-1]
        if run is None or value is None or (some and not last and place not in missed):
            continue
        commit = trends.commits[place]
        label = f"{number(value)} at {short(commit.sha)} {commit.subject} ({line.case})"
        css = "missed" if place in missed else ""
        yield Dot(scale.x(place), scale.y(value), run, label, css, last)
