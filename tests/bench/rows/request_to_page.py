"""From a request to the published page: a small report, asked of a service that is warm."""

from collections.abc import Iterator
from itertools import count

from tests.bench.bare_kernel import BareKernel, bare_kernel
from tests.bench.figures import Goal, Table, ratio_goal
from tests.bench.peers import by_hand, jupyter_scheduler, notebooker
from tests.bench.place import Place
from tests.bench.rounds import Way, measured
from tests.bench.runs import ledger_seconds
from tests.bench.service import Client, serving
from tests.bench.small_report import CELLS, REPORT, TEMPLATE

_SERVICE, _LEDGER = "provenote, request to finished page", "provenote, accepted to finished"
_BARE = "its cells in a kernel that runs, modules imported"
_WORDS = (
    "A notebook with pandas and one figure, another parameter each time. provenote: one request "
    "to a service that runs (`POST …/runs?wait=60`), until its answer; by hand: both commands."
)
_SHARE, _OVERHEAD = 1 / 20, 0.25


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    notebooker.look(place)
    days = count(61)
    with (
        serving(place.new("request"), place.environments, place.project) as service,
        bare_kernel(place.environment.python, place.new("bare")) as kernel,
        jupyter_scheduler.ready(place) as scheduler,
    ):
        found = measured(
            {by_hand.NAME: _by_hand(place, days)}
            | scheduler.ways(place.project / TEMPLATE, days)
            | _ours(service.client(), days)
            | {_BARE: _cells(kernel, days)}
        )
    ours, bare = found[_SERVICE], found[_BARE]
    overhead = ours.median - bare.median
    goals = (
        ratio_goal("request to page, of papermill + nbconvert", ours, found[by_hand.NAME], _SHARE),
        Goal("request to page, over the bare cells", overhead, _OVERHEAD, "s"),
    )
    yield Table("a", "From a request to its page", tuple(found.values()), goals, _WORDS)


def _by_hand(place: Place, days: Iterator[int]) -> Way:
    folder, template = place.new("request-by-hand"), place.project / TEMPLATE
    return lambda: place.by_hand.report(template, folder, days=next(days))


def _ours(client: Client, days: Iterator[int]) -> dict[str, Way]:
    last: list[float] = []

    def ask() -> float:
        answer = client.asked_and_passed(REPORT, {"days": next(days)})
        last.append(ledger_seconds(answer.json))
        path = answer.json["links"]["report"].partition("/runs/")[2]
        page = client.send("GET", f"/runs/{path}")
        if page.status != 200 or b"<img" not in page.body:
            raise SystemExit(f"The page of {path} was not published: {page.status}")
        return answer.seconds

    return {_SERVICE: ask, _LEDGER: lambda: last[-1]}


def _cells(kernel: BareKernel, days: Iterator[int]) -> Way:
    sources = [source for tag, source in CELLS if tag is None]
    return lambda: kernel.execute([f"days = {next(days)}", *sources])
