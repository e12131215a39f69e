"""A hundred small reports on two cores: through the service, and by papermill two at a time."""

import time
from collections.abc import Iterator

from tests.bench.figures import A_SECOND, Figure, Goal, Table
from tests.bench.place import Place
from tests.bench.service import Client, serving
from tests.bench.small_report import REPORT, TEMPLATE
from tests.bench.waiting import wait_for_all

_REPORTS, _TIMES, _LONGEST = 100, 10, 900.0
_PEER = f"{_REPORTS} notebooks, papermill through xargs -P2"
_OURS = f"{_REPORTS} reports with pages, provenote service"
_WORDS = (
    f"{_REPORTS} parameters: asked for one after the other without waiting, until the last page "
    f"is there; and as many calls of papermill, two at a time, whose notebooks nobody converts. "
    f"Done once."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    values = range(61, 61 + _REPORTS)
    theirs = _by_hand(place, values)
    with serving(place.new("many-reports"), place.environments, place.project) as service:
        client = service.client()
        client.asked_and_passed(REPORT, {})
        ours = _through(client, values)
    seconds = (Figure.of(_PEER, [theirs]), Figure.of(_OURS, [ours]))
    rates = (
        Figure.of("papermill, reports", [_REPORTS / theirs], A_SECOND),
        Figure.of("provenote, reports", [_REPORTS / ours], A_SECOND),
    )
    goal = Goal(
        "many reports, rate of papermill through xargs", theirs / ours, _TIMES, at_least=True
    )
    yield Table("d", "Many reports on two cores", seconds + rates, (goal,), _WORDS)


def _by_hand(place: Place, values: range) -> float:
    folder, template = place.new("many-by-hand"), place.project / TEMPLATE
    place.by_hand.execute(template, folder / "executed-warm.ipynb")
    began = time.perf_counter()
    place.by_hand.execute_all(template, folder, "days", values)
    seconds = time.perf_counter() - began
    made = len(list(folder.glob("executed-[0-9]*.ipynb")))
    if made != len(values):
        raise SystemExit(f"Papermill left {made} notebooks instead of {len(values)}.")
    return seconds


def _through(client: Client, values: range) -> float:
    began = time.perf_counter()
    for value in values:
        client.ask(REPORT, {"days": value})
    wait_for_all(client, len(values), _LONGEST)
    return time.perf_counter() - began
