"""The graph of a run: sources and batches, the stages that read them, the report at the end.

Laid out in columns: whatever a thing stands on is to the left of it. Within its column a thing
stands near what it is connected with (the barycentre heuristic of Sugiyama, Tagawa and Toda,
"Methods for visual understanding of hierarchical system structures", 1981).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from provenance.readings import readings
from provenance.story import REPORT, JobFacts, Story

WIDTH, HEIGHT = 208, 52
_GAP_X, _GAP_Y, _EDGE = 72, 18, 10
_SWEEPS = 4
_LONGEST = 24


@dataclass(frozen=True)
class Thing:
    """Something that a result stands on, or the result."""

    id: str
    kind: str
    """``source``, ``batch``, ``file``, ``stage`` or ``report``."""
    name: str
    told: str
    """What else is said of it in a line: the number of a batch, whether a stage was executed."""
    reused: bool = False
    job: str | None = None
    """Of a stage or report, the name of its job."""
    batch: str | None = None
    """Of a batch, its id."""


@dataclass(frozen=True)
class Box:
    """A thing at its place."""

    thing: Thing
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """That one thing was read by another."""

    path: str
    """An SVG path from the right side of the one to the left side of the other."""
    label: str


@dataclass(frozen=True)
class Graph:
    """What is drawn."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    sentences: tuple[str, ...]
    """The same for those who do not see it: what each job read."""


@dataclass(frozen=True)
class _Edge:
    before: str
    after: str
    label: str


def graph_of(story: Story) -> Graph | None:
    """Return the graph of a run; None where no job of it has a record any more."""
    things: dict[str, Thing] = {}
    edges: list[_Edge] = []
    for job in story.jobs:
        own = _thing_of(job, story.run.report)
        things[own.id] = own
        for read, label in _read_by(job):
            things.setdefault(read.id, read)
            edges.append(_Edge(read.id, own.id, label))
    edges = [edge for edge in dict.fromkeys(edges) if edge.before != edge.after]
    if not edges:
        return None
    columns = _ordered(_columns(things, edges), edges)
    boxes = {box.thing.id: box for box in _placed(columns, things)}
    return Graph(
        width=len(columns) * (WIDTH + _GAP_X) - _GAP_X + 2 * _EDGE,
        height=max(map(len, columns)) * (HEIGHT + _GAP_Y) - _GAP_Y + 2 * _EDGE,
        boxes=tuple(boxes.values()),
        arrows=tuple(_arrow(boxes[e.before], boxes[e.after], e.label) for e in edges),
        sentences=tuple(_sentences(things, edges)),
    )


def _thing_of(job: JobFacts, report: str) -> Thing:
    is_report = job.name == REPORT
    return Thing(
        id=f"job:{job.name}",
        kind="report" if is_report else "stage",
        name=report if is_report else job.name,
        told=job.status,
        reused=job.status == "reused",
        job=job.name,
    )


def _read_by(job: JobFacts) -> Iterator[tuple[Thing, str]]:
    """Yield what a job read, and under which name."""
    if job.record is None:
        return
    for source in dict.fromkeys(one.source for one in readings(job.record) if one.source):
        yield Thing(f"source:{source}", "source", source, "source"), ""
    for told in job.record.inputs:
        name, producer = str(told.get("name") or ""), str(told.get("producer") or "")
        if batch := told.get("batch"):
            title = producer.partition(":")[2] or producer
            number = f"{told.get('kind') or 'batch'} {told.get('number') or ''}".strip()
            number = number.replace("data ", "batch ")
            yield Thing(f"batch:{batch}", "batch", title, number, batch=str(batch)), name
        elif producer:
            yield Thing(f"job:{producer}", "file", producer, str(told.get("sha256"))[:8]), name


def _columns(things: Mapping[str, Thing], edges: Sequence[_Edge]) -> list[list[str]]:
    """Put each thing behind all that it stands on, and what stands on nothing close to its use."""
    depth = dict.fromkeys(things, 0)
    for _ in things:  # as often as the longest way has steps, at most
        deeper = {edge.after: depth[edge.before] + 1 for edge in edges}
        for edge in edges:
            deeper[edge.after] = max(deeper[edge.after], depth[edge.before] + 1)
        if all(depth[thing] >= at for thing, at in deeper.items()):
            break
        depth |= {thing: max(depth[thing], at) for thing, at in deeper.items()}
    fed = {edge.after for edge in edges}
    for thing in things.keys() - fed:
        uses = [depth[edge.after] for edge in edges if edge.before == thing]
        depth[thing] = min(uses) - 1 if uses else 0
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for thing in things:
        columns[depth[thing]].append(thing)
    return [column for column in columns if column]


def _ordered(columns: list[list[str]], edges: Sequence[_Edge]) -> list[list[str]]:
    """Bring what is connected to about the same height, sweeping right and left."""
    beside: dict[str, list[str]] = {}
    for edge in edges:
        beside.setdefault(edge.after, []).append(edge.before)
        beside.setdefault(edge.before, []).append(edge.after)
    for sweep in range(_SWEEPS):
        heights = {thing: float(at) for column in columns for at, thing in enumerate(column)}
        for column in columns if sweep % 2 == 0 else reversed(columns):
            means = {thing: _mean(heights, beside.get(thing, ()), thing) for thing in column}
            column.sort(key=lambda thing, means=means: means[thing])  # type: ignore[misc]
            heights |= {thing: float(at) for at, thing in enumerate(column)}
    return columns


def _mean(heights: Mapping[str, float], others: Iterable[str], own: str) -> float:
    found = [heights[other] for other in others]
    return sum(found) / len(found) if found else heights[own]


def _placed(columns: Sequence[Sequence[str]], things: Mapping[str, Thing]) -> Iterator[Box]:
    highest = max(map(len, columns))
    for place, column in enumerate(columns):
        above = (highest - len(column)) * (HEIGHT + _GAP_Y) // 2
        for at, thing in enumerate(column):
            x, y = place * (WIDTH + _GAP_X), above + at * (HEIGHT + _GAP_Y)
            yield Box(things[thing], x + _EDGE, y + _EDGE)


def _arrow(before: Box, after: Box, label: str) -> Arrow:
    x, y = before.x + WIDTH, before.y + HEIGHT // 2
    to_x, to_y = after.x, after.y + HEIGHT // 2
    bend = max(_GAP_X // 2, (to_x - x) // 2)
    return Arrow(f"M{x},{y} C{x + bend},{y} {to_x - bend},{to_y} {to_x},{to_y}", label)


def _sentences(things: Mapping[str, Thing], edges: Sequence[_Edge]) -> Iterator[str]:
    for thing in things.values():
        read = [
            f"{things[edge.before].name} ({things[edge.before].told})"
            for edge in edges
            if edge.after == thing.id
        ]
        if read:
            yield f"{thing.name}, {thing.told}, read {', '.join(read)}."


def shortened(text: str) -> str:
    """Return *text* as it fits into a box."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
