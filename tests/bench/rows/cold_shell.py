"""The small report by ``provenote run`` from a cold shell, with no server running."""

from collections.abc import Iterator
from itertools import count

from tests.bench.commands import PROVENOTE, environ_of, run
from tests.bench.figures import Table, ratio_goal
from tests.bench.folders import make_home
from tests.bench.peers import by_hand
from tests.bench.place import Place
from tests.bench.rounds import Way, measured
from tests.bench.small_report import REPORT, TEMPLATE

_RUN = "provenote run, another parameter"
_SHARE = 1 / 2
_WORDS = "The same notebook; whole commands, each a new process, with no server running."


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    folder, template = place.new("cold-shell"), place.project / TEMPLATE
    environ = environ_of(make_home(folder, place.environments))
    days = count(61)

    def provenote(*arguments: str, days: Iterator[int] | None = None) -> Way:
        def way() -> None:
            given = ("-p", f"days={next(days) if days else 60}")
            run([PROVENOTE, *arguments, REPORT, *given], place.project, environ)

        return way

    found = measured(
        {
            by_hand.NAME: lambda: place.by_hand.report(template, folder, days=next(days)),
            _RUN: provenote("run", days=days),
            "provenote run, nothing changed": provenote("run"),
            "provenote plan, nothing changed": provenote("plan"),
        }
    )
    goal = ratio_goal(
        "provenote run, of papermill + nbconvert", found[_RUN], found[by_hand.NAME], _SHARE
    )
    yield Table("b", "The same, from a cold shell", tuple(found.values()), (goal,), _WORDS)
