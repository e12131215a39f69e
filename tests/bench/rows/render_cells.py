"""Rendering an executed notebook of a hundred cells, in a process that has done it before."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.commands import plain_environ, run
from tests.bench.figures import BYTES, Figure, Goal, Table
from tests.bench.place import Place

_ROUNDS, _LONGEST = 7, 0.3
_WORDS = (
    "100 cells: Markdown, and code with printed lines, tables and ten figures; a page from the "
    "notebook's bytes, in one process that has made such a page before."
)
_NAMES = {"provenote": "provenote", "lab": "nbconvert, template lab"}
_NAMES["classic"] = "nbconvert, template classic"


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the tables."""
    command = [sys.executable, "-m", "tests.bench.render", str(_ROUNDS)]
    found = json.loads(run(command, Path(__file__).parents[3], plain_environ()).stdout)
    seconds = {name: Figure.of(_NAMES[name], one["seconds"]) for name, one in found.items()}
    sizes = [Figure.of(_NAMES[name], [one["bytes"]], BYTES) for name, one in found.items()]
    goal = Goal("render 100 cells", seconds["provenote"].median, _LONGEST, "s")
    yield Table("h", "Rendering 100 cells", tuple(seconds.values()), (goal,), _WORDS)
    yield Table(
        "h",
        "The pages of it",
        tuple(sizes),
        (),
        "Bytes of each page with its own figures; what pages share, such as styles, not counted.",
    )
