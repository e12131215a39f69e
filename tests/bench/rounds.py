"""Measuring several ways in turn, so that a machine whose speed drifts slows all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench.commands import run
from tests.bench.figures import Figure

ROUNDS = 5

Way = Callable[[], float | None]
"""Does it once; returns the seconds that count where they are not those of the whole."""


def measured(ways: Mapping[str, Way], rounds: int = ROUNDS) -> dict[str, Figure]:
    """Return the seconds of each way by its name; all are done in turn.

    A first round is not counted: it warms the disk's cache.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            found = way()
            if round_:
                seconds[name].append(time.perf_counter() - began if found is None else found)
    return {name: Figure.of(name, found) for name, found in seconds.items()}


def shell(command: Sequence[Path | str], directory: Path, environ: Mapping[str, str]) -> Way:
    """Return the way of running *command*, timed from its start to its end."""

    def way() -> None:
        run(command, directory, environ)

    return way
