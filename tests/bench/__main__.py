"""``make bench``: provenote measured beside its peers, on this machine, in one run.

What is compared is done several times in turn, so that a machine whose speed drifts slows all
of it alike. Told are the median, the least and the most of the rounds.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from tests.bench.about import about_this_machine
from tests.bench.figures import Table
from tests.bench.place import Place
from tests.bench.results import Results
from tests.bench.rows import measure_of, wanted_rows
from tests.bench.terminal import print_goals, print_table


def main() -> None:
    """Measure, print tables, and write them as JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help="rows, by letter or name: a,nothing_changed")
    parser.add_argument("--json", type=Path, help="where the results go")
    given = parser.parse_args()
    rows = wanted_rows(given.only)
    signal.signal(signal.SIGTERM, _end)
    sys.stdout.reconfigure(line_buffering=True)  # somebody may read along through a pipe
    about, began = about_this_machine(), time.monotonic()
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(prefix="provenote-bench-") as folder:
        place = Place(Path(folder))
        for row in rows:
            for table in measure_of(row)(place):
                print_table(table)
                tables.append(table)
    seconds = round(time.monotonic() - began)
    about |= {"load_after": os.getloadavg(), "seconds": seconds}
    print_goals(tables)
    target = given.json or place.caches / "results.json"
    Results(about, place.left_out, tuple(tables)).write(target)
    print(f"\n{seconds} s. Load before {_load(about, 'before')}, after {_load(about, 'after')}.")
    print(f"Results: {target}")


def _end(_number: int, _frame: FrameType | None) -> None:
    """Leave as after Ctrl-C: whatever was started is ended, whatever was made removed."""
    raise KeyboardInterrupt


def _load(about: dict[str, object], when: str) -> str:
    load = about[f"load_{when}"]
    return f"{load[0]:.2f}" if isinstance(load, tuple) else "unknown"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("\nStopped; nothing is left of it.") from None
