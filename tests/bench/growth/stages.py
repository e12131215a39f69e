"""Longer and longer chains of stages: executed once, and looked at when nothing has changed."""

import statistics
from collections.abc import Iterator

from tests.bench.chain import make_chain
from tests.bench.figures import Figure, Table
from tests.bench.folders import make_home
from tests.bench.growth.repeating import repeated
from tests.bench.place import Place

_SIZES = (1, 10, 100, 200)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the tables."""
    folder = place.new("growth-stages")
    executed, first, later = [], [], []
    for size in _SIZES:
        # A home of its own: the first stages of a longer chain are those of a shorter one.
        home = make_home(folder / f"home-{size}", place.environments)
        chain = make_chain(folder / f"chain-{size}", home, size)
        name = f"{size} stage{'s' if size > 1 else ''}"
        executed.append(Figure.of(name, [chain.execute()]))
        looks: list[list[float]] = []

        def look() -> float:
            looks.append(chain.look())  # noqa: B023
            return looks[-1][0]  # noqa: B023

        first.append(Figure.of(name, repeated(look)))
        later.append(Figure.of(name, [statistics.median(one[1:]) for one in looks]))
    words = "`provenote run` from the shell, all of it executed, each once."
    yield Table("k", "As stages grow: executed", tuple(executed), (), words)
    words = "In process; a first look of a new process, and the later ones."
    yield Table("k", "As stages grow: a first look", tuple(first), (), words)
    yield Table("k", "As stages grow: later looks", tuple(later))
