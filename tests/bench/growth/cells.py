"""A report of more and more cells."""

from collections.abc import Iterator
from itertools import count

from tests.bench.figures import Figure, Table
from tests.bench.growth.repeating import repeated
from tests.bench.place import Place
from tests.bench.rows.many_cells import make_project
from tests.bench.runs import ledger_seconds
from tests.bench.service import serving

_SIZES = (1, 10, 100, 1000)
_WORDS = "Each cell prints a line; accepted to finished, through the service."


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    project, salts = make_project(place.new("growth-cells"), _SIZES), count()
    with serving(place.new("more-cells"), place.environments, project) as service:
        client = service.client()

        def asked(size: int) -> float:
            return ledger_seconds(client.finished(f"cells{size}", {"salt": next(salts)}))

        asked(1)
        figures = [
            Figure.of(f"{size:,} cell{'s' if size > 1 else ''}", repeated(lambda: asked(size)))  # noqa: B023
            for size in _SIZES
        ]
    yield Table("k", "As cells grow", tuple(figures), (), _WORDS)
