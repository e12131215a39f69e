"""A chain of a hundred stages that are up to date: how soon is that known, here and elsewhere?"""

import statistics
from collections.abc import Iterator

from tests.bench.chain import LENGTH, Chain, make_chain
from tests.bench.commands import PROVENOTE
from tests.bench.figures import Figure, Goal, Table
from tests.bench.folders import make_home
from tests.bench.peers import chains
from tests.bench.peers.installed import NotInstallableError
from tests.bench.place import Place
from tests.bench.rounds import Way, measured, shell

_SHELL, _FIRST = "provenote plan, from the shell", "provenote in process, first look"
_LATER = "provenote in process, later looks"
_IN_PROCESS, _FROM_THE_SHELL = 0.050, 0.5
_WORDS = (
    f"A chain of {LENGTH} steps, each of which reads what the one before it left. Every tool says "
    "in its own words that nothing is to be done, and the bench looks whether it did. *In process* "
    "is what the web server or a worker pays; a *first look* is that of a new process, which reads "
    "and parses every source; for *later looks* it remembers by content what a source says."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the tables."""
    folder = place.new("plan")
    ours = make_chain(folder / "ours", make_home(folder, place.environments), LENGTH)
    executed = [Figure.of("provenote run", [ours.execute()])]
    ways = _ways(ours)
    for peer in chains.PEERS:
        try:
            ready = chains.make_ready(peer, place.caches, folder, LENGTH)
        except NotInstallableError as error:
            place.leave_out(peer.name, str(error))
            continue
        executed.append(Figure.of(f"{peer.name} {peer.version}", [ready.first_seconds]))
        ways |= ready.ways()
    found = measured(ways)
    goals = (
        Goal("plan in process, what a service pays", found[_LATER].median, _IN_PROCESS, "s"),
        Goal("plan in process, at a first look", found[_FIRST].median, _IN_PROCESS, "s"),
        Goal("provenote plan, from the shell", found[_SHELL].median, _FROM_THE_SHELL, "s"),
    )
    title = f"Knowing that nothing is to be done: {LENGTH} stages"
    yield Table("g", title, tuple(found.values()), goals, _WORDS)
    words = "One run, all of it executed; done once, so a rough figure."
    yield Table("g", "The same, the first time", tuple(executed), (), words)


def _ways(chain: Chain) -> dict[str, Way]:
    return {
        _SHELL: shell([PROVENOTE, "plan"], chain.project, chain.environ),
        _FIRST: lambda: chain.look()[0],
        _LATER: lambda: statistics.median(chain.look()[1:]),
    }
