"""Two hundred kills among eight workers: after one clearing, everything is as it was written."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provenance.cache import Cache
from provenance.gc import Collector, Keep
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import upgrade
from provenance.store import Store
from provenance.verify_archive import ArchiveCheck
from tests.provenance.making import genuine_record

ROOT = Path(__file__).resolve().parents[2]
WORKERS, KILLS, KEYS = 8, 200, 200

FOREMAN = """
import os, random, signal, sys
from pathlib import Path
from provenance.cache import Cache
from provenance.ledger.engine import Ledger
from provenance.ledger.leases import Leases
from provenance.store import Store
from tests.provenance.making import genuine_record
root, url, keys = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def work(seed):
    cache = Cache(Store(root), Leases(Ledger(url), "here"))
    numbers = list(range(keys))
    random.Random(seed).shuffle(numbers)
    for number in numbers:
        contents = [b"%d " % number * size for size in (10, 20_000)]
        key = keys_of[number]
        if cache.lookup(key):
            continue
        with cache.single_flight(key, lambda: None):
            if cache.lookup(key) is None:
                record = genuine_record(cache.store, number, *contents)
                assert record.key == key
                (root / f"in-{os.getpid()}").write_bytes(contents[1])
                cache.store.put_file(root / f"in-{os.getpid()}")
                cache.commit(record)

from provenance.identity.key import Preimage
keys_of = [Preimage("python", "features", {"number": n}, {}, {}, (), {}).key for n in range(keys)]
# Forked rather than started, since importing takes longer than all the work. The dead are not
# waited for, so that no number is given to another process while it may still be killed.
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            work(int(line))
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        signal.pause()  # to be killed like the others
    print(child, flush=True)
"""


class Foreman:
    """Starts workers quickly, by forking."""

    def __init__(self, root: Path, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", FOREMAN, str(root), url, str(KEYS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, seed: int) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seed}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.mark.slow
def test_after_200_kills_among_8_workers_and_one_clearing_the_archive_is_clean(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    ledger = Ledger(url)
    upgrade(ledger)
    root = tmp_path / "store"
    root.mkdir()
    foreman, luck = Foreman(root, url), random.Random(20130131)
    running = [foreman.start(seed) for seed in range(WORKERS)]
    try:
        for kill in range(KILLS):
            time.sleep(luck.uniform(0.01, 0.06))
            victim = luck.randrange(WORKERS)
            os.kill(running[victim], signal.SIGKILL)
            running[victim] = foreman.start(WORKERS + kill)
    finally:
        for worker in running:
            os.kill(worker, signal.SIGKILL)
        foreman.end()
    store = Store(root)
    assert ArchiveCheck(store, ledger).run().problems == [], "nothing is broken even before"
    cleared = Collector(store, ledger, Keep(grace=0)).clear()
    assert cleared.lost == []
    verified = ArchiveCheck(store, ledger).run()
    assert (verified.problems, verified.notes) == ([], [])
    assert verified.checked["actions"] > 0
    _all_can_be_made(store, ledger)


def _all_can_be_made(store: Store, ledger: Ledger) -> None:
    """Make what is missing: nothing that was killed stands in the way."""
    cache = Cache(store)
    for number in range(KEYS):
        record = genuine_record(store, number, b"%d " % number * 10, b"%d " % number * 20_000)
        entry = cache.commit(record)
        assert entry.record.outputs == record.outputs
    verified = ArchiveCheck(store, ledger).run()
    assert verified.problems == []
    assert verified.checked["actions"] == KEYS
    ledger.close()
