"""The same request again, when nothing has changed: its result is reused."""

from collections.abc import Iterator

from tests.bench.figures import Figure, Goal, Table
from tests.bench.place import Place
from tests.bench.runs import ledger_seconds
from tests.bench.service import serving
from tests.bench.small_report import REPORT

_ROUNDS, _LONGEST = 30, 0.030
_WORDS = (
    "One request (`POST …/runs?wait=60`) after the other for a report that is there, over one "
    "connection; each becomes a run of its own, which is planned anew and reuses the page."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    with serving(place.new("again"), place.environments, place.project) as service:
        client = service.client()
        client.asked_and_passed(REPORT, {})
        answers = [client.asked_and_passed(REPORT, {}) for _ in range(1 + _ROUNDS)][1:]
    if not all(answer.json["reused"] for answer in answers):
        raise SystemExit("A run was executed that should have been reused.")
    ours = Figure.of("provenote, request to finished page", [one.seconds for one in answers])
    ledger = [ledger_seconds(answer.json) for answer in answers]
    told = Figure.of("provenote, accepted to finished", ledger)
    goal = Goal("the same request again", ours.median, _LONGEST, "s")
    yield Table("c", "The same request again, nothing changed", (ours, told), (goal,), _WORDS)
