"""A notebook of a hundred cells: what each costs beyond what the bare kernel takes for it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.bench.bare_kernel import BareKernel, bare_kernel
from tests.bench.figures import Figure, Goal, Table
from tests.bench.folders import notebook, repository
from tests.bench.place import Place
from tests.bench.rounds import Way, measured
from tests.bench.runs import ledger_seconds
from tests.bench.service import Client, serving

_CELLS, _LONGEST = 100, 0.002
_ONE, _MANY = "provenote, one cell", f"provenote, {_CELLS} cells"
_PEER_ONE, _PEER_MANY = "papermill, one cell", f"papermill, {_CELLS} cells"
_BARE_ONE, _BARE_MANY = "bare kernel, one cell", f"bare kernel, {_CELLS} cells"
_WORDS = (
    f"Each cell prints a line. What a cell costs is the difference between a notebook of {_CELLS} "
    f"and one of a single cell, divided by {_CELLS - 1}: so what is paid once does not count. "
    f"provenote's is from accepted to finished: it tells of each cell, keeps and renders it."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the tables."""
    project, salts = make_project(place.new("many-cells"), (1, _CELLS)), count()
    with (
        serving(place.new("cells"), place.environments, project) as service,
        bare_kernel(place.environment.python, place.new("bare-cells")) as kernel,
    ):
        client = service.client()
        found = measured(
            {
                _PEER_ONE: _by_hand(place, project, 1, salts),
                _PEER_MANY: _by_hand(place, project, _CELLS, salts),
                _ONE: _ours(client, 1, salts),
                _MANY: _ours(client, _CELLS, salts),
                _BARE_ONE: _bare(kernel, 1, salts),
                _BARE_MANY: _bare(kernel, _CELLS, salts),
            }
        )
    each = _each(found)
    goal = Goal("each cell, over the bare kernel", each[1].median - each[2].median, _LONGEST, "s")
    yield Table("e", f"{_CELLS} cells", tuple(found.values()), (), _WORDS)
    yield Table("e", "One cell more, of the medians", each, (goal,))


def _each(found: dict[str, Figure]) -> tuple[Figure, ...]:
    pairs = (("papermill", _PEER_ONE, _PEER_MANY), ("provenote", _ONE, _MANY))
    pairs += (("bare kernel", _BARE_ONE, _BARE_MANY),)
    return tuple(
        Figure.of(name, [(found[many].median - found[one].median) / (_CELLS - 1)])
        for name, one, many in pairs
    )


def make_project(folder: Path, sizes: tuple[int, ...]) -> Path:
    """Make a project with a report of as many printing cells for each of *sizes*."""
    manifest = ['[project]\nname = "bench"']
    files = {}
    for size in sizes:
        manifest.append(f'[reports.cells{size}]\ntemplate = "cells{size}.ipynb"')
        cells = [("parameters", "salt = 0"), *((None, _source(n)) for n in range(size))]
        files[f"cells{size}.ipynb"] = notebook(cells)
    return repository(folder, {**files, "provenote.toml": "\n".join(manifest) + "\n"})


def _source(number: int) -> str:
    return f"print(salt, {number})"


def _by_hand(place: Place, project: Path, size: int, salts: Iterator[int]) -> Way:
    template, folder = project / f"cells{size}.ipynb", place.new(f"cells-by-hand-{size}")
    return lambda: place.by_hand.execute(template, folder / "executed.ipynb", salt=next(salts))


def _ours(client: Client, size: int, salts: Iterator[int]) -> Way:
    def way() -> float:
        return ledger_seconds(client.asked_and_passed(f"cells{size}", {"salt": next(salts)}).json)

    return way


def _bare(kernel: BareKernel, size: int, salts: Iterator[int]) -> Way:
    return lambda: kernel.execute([f"salt = {next(salts)}", *map(_source, range(size))])
