"""What work costs as there is more of it: cells, reports, bytes, stages."""

from collections.abc import Iterator

from tests.bench.figures import Table
from tests.bench.growth import cells, outputs, reports, stages
from tests.bench.place import Place


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield a table for each kind of growth."""
    for kind in (cells, reports, outputs, stages):
        yield from kind.measure(place)
