"""Side-by-side timings of whole commands, in one run: ``make bench``.

What is compared is done several times in turn, so that a machine whose speed drifts slows all
of it alike. Told are the median, the least and the most of the rounds.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import chain, one_report, peers
from tests.bench.timing import ROUNDS, Timing, measured, print_table


@dataclass(frozen=True)
class Part:
    """Timings that belong into one table."""

    title: str
    timings: Sequence[Timing]
    digits: int = 2


def main() -> None:
    """Measure, print tables, and write them as JSON to the file that is named, if any."""
    load = [os.getloadavg()]
    parts = []
    with tempfile.TemporaryDirectory(prefix="provenote-bench-") as folder:
        for part in _parts(Path(folder)):
            print_table(part.title, part.timings, part.digits)
            parts.append(part)
    load.append(os.getloadavg())
    print(f"\nLoad average before {load[0][0]:.2f}, after {load[1][0]:.2f}.")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(_told(parts, load), indent=1) + "\n")


def _parts(folder: Path) -> Iterator[Part]:
    home = folder / "home"
    yield Part(one_report.TITLE, measured(one_report.ways(folder / "report", home)))
    ours = chain.make_chain(folder / "chain", home, chain.LENGTH)
    executed = [Timing.of("provenote run", [ours.execute()])]
    ways = chain.ways(ours)
    for peer in peers.PEERS:
        ready = peers.make_ready(peer, folder / "peers", chain.LENGTH)
        if ready is not None:
            executed.append(Timing.of(f"{peer.name} {peer.version}", [ready.first_seconds]))
            ways |= ready.ways()
    yield Part(f"seconds until {chain.LENGTH} stages are executed (once)", executed)
    yield Part(f"seconds to know: {chain.LENGTH} stages, unchanged", measured(ways), 3)
    yield Part("seconds to know: chains of other lengths", chain.growth(folder / "more", home), 3)


def _told(parts: Sequence[Part], load: Sequence[tuple[float, float, float]]) -> dict[str, object]:
    timings = [{"of": part.title, **asdict(one)} for part in parts for one in part.timings]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": ROUNDS,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": load,
        "peers": {peer.name: peer.version for peer in peers.PEERS},
        "timings": timings,
    }


main()
