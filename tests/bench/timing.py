"""Measuring several ways in turn, and telling it as a table and as JSON."""

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 5

Way = Callable[[], float | None]
"""Does it once; returns the seconds that count where they are not those of the whole."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one way to do it, over all rounds."""

    name: str
    median: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, name: str, seconds: Sequence[float]) -> "Timing":
        """Return what *seconds* come to."""
        return cls(name, statistics.median(seconds), min(seconds), max(seconds))


def measured(ways: Mapping[str, Way]) -> list[Timing]:
    """Return the timing of each way; all are done in turn, so that a drift slows all alike.

    A first round is not counted: it warms the disk's cache.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(ROUNDS + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            told = way()
            if round_:
                seconds[name].append(time.perf_counter() - began if told is None else told)
    return [Timing.of(name, found) for name, found in seconds.items()]


def print_table(title: str, timings: Sequence[Timing], digits: int = 2) -> None:
    """Print a table; the first row is what the others are measured by."""
    first = timings[0].median
    print(f"\n{title:<56}{'median':>9}{'min':>9}{'max':>9}{'ratio':>8}")
    for one in timings:
        figures = "".join(
            f"{value:>9.{digits}f}" for value in (one.median, one.minimum, one.maximum)
        )
        print(f"{one.name:<56}{figures}{one.median / first:>8.2f}")


def run(
    command: Sequence[Path | str], directory: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it wrote; leave the bench where it fails."""
    done = subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, check=False, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def shell(command: Sequence[Path | str], directory: Path, environ: Mapping[str, str]) -> Way:
    """Return the way of running *command*, timed from its start to its end."""

    def way() -> None:
        run(command, directory, environ)

    return way
