"""Fifty runs queued on two cores: how fast they go, and how fast the web answers meanwhile."""

import math
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from tests.bench.figures import A_SECOND, Figure, Table
from tests.bench.place import Place
from tests.bench.runs import instant
from tests.bench.service import Client, serving
from tests.bench.small_report import REPORT
from tests.bench.waiting import seconds_of_all, wait_for_all

_RUNS, _LONGEST, _PARTS, _PAUSE_SECONDS = 50, 600.0, 5, 0.05
_WORDS = (
    f"{_RUNS} small reports are asked for at once; a reader looks at three pages in turn, with a "
    "pause of 50 ms between, until the last report is there. Before: the same pages with nothing "
    "to do."
)
_QUIET_LOOKS = 90


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the tables."""
    with serving(place.new("queue"), place.environments, place.project) as service:
        client, reader = service.client(), service.client()
        first = client.asked_and_passed(REPORT, {}).json["id"]
        pages = {"home": "/", "a run": f"/runs/{first}", "API, runs": "/api/v1/runs"}
        before = _looks(reader, pages, _QUIET_LOOKS)
        done = threading.Event()
        meanwhile: dict[str, list[float]] = {}
        looking = threading.Thread(
            target=lambda: meanwhile.update(_looks(reader, pages, None, done))
        )
        looking.start()
        try:
            asked = [client.ask(REPORT, {"days": 61 + n}).seconds for n in range(_RUNS)]
            runs = wait_for_all(client, _RUNS, _LONGEST)
        finally:
            done.set()
            looking.join()
    yield Table("l", f"{_RUNS} runs queued on two cores", _throughput(runs, asked), (), _WORDS)
    yield Table("l", "Pages meanwhile", tuple(_answers(before, meanwhile)))


def _looks(
    reader: Client, pages: Mapping[str, str], most: int | None, done: threading.Event | None = None
) -> dict[str, list[float]]:
    """Look at the pages in turn, *most* times or until it is *done*; return all answer times."""
    seconds: dict[str, list[float]] = {name: [] for name in pages}
    for number, (name, path) in enumerate(cycle(pages.items())):
        if number == most or (done is not None and done.is_set()):
            break
        answer = reader.send("GET", path)
        if answer.status != 200:
            raise SystemExit(f"{path} was answered {answer.status}.")
        seconds[name].append(answer.seconds)
        time.sleep(_PAUSE_SECONDS)
    return seconds


def _throughput(runs: list[dict[str, object]], asked: Sequence[float]) -> tuple[Figure, ...]:
    """Return the whole, and the rate in each fifth of the runs, in the order of their ends."""
    ends = sorted(instant(str(run["finished_at"])).timestamp() for run in runs)
    start = min(instant(str(run["started_at"])).timestamp() for run in runs)
    size = math.ceil(len(ends) / _PARTS)
    rates = []
    for part in range(0, len(ends), size):
        share = ends[part : part + size]
        since = ends[part - 1] if part else start
        rates.append(len(share) / (share[-1] - since))
    whole = seconds_of_all(runs)
    named = [
        Figure.of(
            f"finished, runs {part * size + 1} to {min((part + 1) * size, _RUNS)}", [rate], A_SECOND
        )
        for part, rate in enumerate(rates)
    ]
    return (
        Figure.of("finished, all runs", [len(runs) / whole], A_SECOND),
        *named,
        Figure.of("from the first request to the last end", [whole]),
        Figure.of("a request for a run, accepted", asked),
    )


def _answers(
    before: Mapping[str, Sequence[float]], meanwhile: Mapping[str, Sequence[float]]
) -> Iterator[Figure]:
    for name, seconds in before.items():
        yield Figure.of(f"{name}, nothing to do", seconds)
        yield Figure.of(f"{name}, meanwhile", meanwhile[name])
        p95 = statistics.quantiles(meanwhile[name], n=20)[18]
        yield Figure.of(f"{name}, meanwhile, slowest twentieth from", [p95])
